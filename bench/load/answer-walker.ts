// Reads answer frames without building objects: walks each outcome's bytes, counts its code and
// flags, and adds up sequences. msgpackr would take 1 µs an outcome; this takes about 20 ns. Knows
// only the forms of PROTOCOL.md, "Answers"; anything else throws, and the run fails.

/** What all answers of a run added up to. */
export interface Tally {
  /** Outcomes by code. */
  readonly codeCounts: Float64Array;
  replayCount: number;
  recordedCount: number;
  sequenceMin: number;
  sequenceMax: number;
  /** Sum of (sequence − the first one seen), so that it stays exact. */
  sequenceSum: number;
  sequenceBase: number;
}

/** A tally of nothing. */
export function emptyTally(): Tally {
  return {
    codeCounts: new Float64Array(128),
    replayCount: 0,
    recordedCount: 0,
    sequenceMin: Number.POSITIVE_INFINITY,
    sequenceMax: 0,
    sequenceSum: 0,
    sequenceBase: -1,
  };
}

/** Outcomes that are neither ok nor a repeat. */
export function refusalCount(tally: Tally): number {
  return tally.codeCounts.reduce((sum, count) => sum + count, 0) - tally.codeCounts[0];
}

/**
 * Whether the recorded outcomes carry each sequence of a run without gap exactly once, as they must
 * when nobody else sends to the one lane: as many as their span, and with its sum.
 */
export function sequencesAreWhole(tally: Tally): boolean {
  if (tally.recordedCount === 0) return true;
  const span = tally.sequenceMax - tally.sequenceMin + 1;
  const middle = (tally.sequenceMin + tally.sequenceMax) / 2 - tally.sequenceBase;
  return span === tally.recordedCount && tally.sequenceSum === middle * span;
}

const REFUSED_TYPE = 9;
const BATCH_TYPE = 1;
const FIXARRAY = 0x90;
const ARRAY16 = 0xdc;
const UINT8 = 0xcc;
const UINT16 = 0xcd;
const UINT32 = 0xce;
const UINT64 = 0xcf;
const FLOAT64 = 0xcb;
const INT64 = 0xd3;
const TWO_TO_32 = 4_294_967_296;
/** So long that the walk passes the frame's end and stops. */
const NO_NUMBER_BYTES = 1 << 24;

// Bytes of a number by its first byte.
const NUMBER_BYTES: Uint32Array = Uint32Array.from({ length: 256 }, (_, first) => {
  if (first < 0x80 || first >= 0xe0) return 1;
  const bytes: Readonly<Record<number, number>> = {
    [UINT8]: 2,
    [UINT16]: 3,
    [UINT32]: 5,
    [UINT64]: 9,
    [FLOAT64]: 9,
    208: 2,
    209: 3,
    210: 5,
    [INT64]: 9,
  };
  return bytes[first] ?? NO_NUMBER_BYTES;
});

/** Walks answers and adds them to its tally; holds the parts of the answer walked last. */
export class AnswerWalker {
  readonly tally: Tally;
  requestId = 0;
  position = 0;
  outcomeCount = 0;
  #at = 0;

  constructor(tally: Tally) {
    this.tally = tally;
  }

  /** Walks the one answer that begins at `from` and returns where it ends. */
  walk(bytes: Uint8Array, view: DataView, from: number): number {
    const elementCount = bytes[from] - FIXARRAY;
    const type = bytes[from + 1];
    this.#at = from + 2;
    this.requestId = this.#number(bytes, view);
    if (type === REFUSED_TYPE) throw refused(this.requestId, this.#number(bytes, view));
    if (type !== BATCH_TYPE || elementCount !== 4) {
      throw new Error(`Cannot walk an answer because it is no batch's: type ${type}`);
    }
    this.position = this.#number(bytes, view);
    this.outcomeCount = this.#arrayCount(bytes, view);
    this.#walkOutcomes(bytes, view);
    return this.#at;
  }

  #walkOutcomes(bytes: Uint8Array, view: DataView): void {
    const { tally } = this;
    for (let row = 0; row < this.outcomeCount; row += 1) {
      const first = bytes[this.#at];
      if (first < 0x80) {
        tally.codeCounts[first] += 1;
        this.#at += 1;
        continue;
      }
      const elementCount = first - FIXARRAY;
      if (elementCount < 9 || elementCount > 10) {
        throw new Error(`Cannot walk an outcome because it begins with byte ${first}`);
      }
      tally.codeCounts[bytes[this.#at + 1] & 0x7f] += 1;
      tally.replayCount += bytes[this.#at + 2] & 1;
      this.#at += 3;
      this.#addSequence(this.#number(bytes, view));
      for (let element = 3; element < elementCount; element += 1) {
        this.#at += NUMBER_BYTES[bytes[this.#at]];
      }
    }
    // Negated, because a walk past the end reads undefined and makes NaN of the place.
    if (!(this.#at <= bytes.byteLength)) {
      throw new Error('Cannot walk an answer because its outcomes pass the end of the frame');
    }
  }

  #addSequence(sequence: number): void {
    const { tally } = this;
    if (tally.sequenceBase < 0) tally.sequenceBase = sequence;
    if (sequence < tally.sequenceMin) tally.sequenceMin = sequence;
    if (sequence > tally.sequenceMax) tally.sequenceMax = sequence;
    tally.sequenceSum += sequence - tally.sequenceBase;
    tally.recordedCount += 1;
  }

  #arrayCount(bytes: Uint8Array, view: DataView): number {
    const first = bytes[this.#at];
    if ((first & 0xf0) === FIXARRAY) {
      this.#at += 1;
      return first & 0x0f;
    }
    if (first !== ARRAY16) throw new Error(`Cannot walk an answer: byte ${first} opens no list`);
    const count = view.getUint16(this.#at + 1);
    this.#at += 3;
    return count;
  }

  #number(bytes: Uint8Array, view: DataView): number {
    const at = this.#at;
    const first = bytes[at];
    this.#at = at + NUMBER_BYTES[first];
    if (first < 0x80) return first;
    if (first === UINT32) return view.getUint32(at + 1);
    if (first === UINT64 || first === INT64) {
      return view.getInt32(at + 1) * TWO_TO_32 + view.getUint32(at + 5);
    }
    if (first === UINT16) return view.getUint16(at + 1);
    if (first === UINT8) return bytes[at + 1];
    if (first === FLOAT64) return view.getFloat64(at + 1);
    throw new Error(
      `Cannot walk an answer because byte ${first} begins no number that can be here`,
    );
  }
}

function refused(requestId: number, code: number): Error {
  return new Error(
    `Cannot go on because request ${requestId} was refused whole with code ${code}. ` +
      'Lower --in-flight, or raise the limits on unanswered transactions.',
  );
}
