// Rows of the transaction index that hold outcomes: enough to answer a repeat, to judge what refers
// to it and to take it back without reading the log. Byte-wise this is what a sealed index will
// hold on disk; nothing in a row points to another row. Owned by the shard's thread.
import type { KeyColumns } from '../records/key-columns.ts';
import { RowChunks } from './row-chunks.ts';
import { PLAIN_MEMORY, type TableMemory } from './table-memory.ts';

// A row of 112 bytes: words 0–3 key; 4 kind | code << 8 | traits << 16; 5 account row + 1;
// 6–7 body hash; 8 sequence low; 9 time low; 10 sequence high | time high << 16; 11 extra;
// doubles 6–11 amount, cash moved, bonus moved, cash, bonus, held after; words 24–27 round key.
const ROW_WORDS = 28;
const META_WORD = 4;
const ACCOUNT_WORD = 5;
const BODY_WORD = 6;
const STAMP_WORD = 8;
const EXTRA_WORD = 11;
const AMOUNT_DOUBLE = 6;
const ROUND_WORD = 24;
const TWO_32 = 4_294_967_296;

/** What else is known of an outcome; bits of `traits`. */
export const OutcomeTrait = {
  /** A late bet that met a tombstone of the policy `noop`. */
  noop: 1,
  /** The sender named a round. */
  roundNamed: 2,
  /** An `open` that made its account. */
  made: 4,
  /**
   * A win that named a round but joined its bet's nameless one: the row's round key is the one
   * joined, and `extra` holds the first word of the one named, for rule 26.
   */
  joinedOther: 8,
} as const;

/** What a new outcome row is filled from; the shard's one Decision has this shape. */
export interface OutcomeFacts {
  readonly kind: number;
  readonly code: number;
  readonly traits: number;
  readonly accountRow: number;
  readonly sequence: number;
  readonly timeMs: number;
  readonly extra: number;
  readonly amountMinor: number;
  readonly cashMovedMinor: number;
  readonly bonusMovedMinor: number;
  readonly cashMinor: number;
  readonly bonusMinor: number;
  readonly heldMinor: number;
  /** The hashes, and its row in them. */
  readonly keys: KeyColumns;
  readonly row: number;
  /** Where keys.round has the key of its round; zeros where the kind has no round. */
  readonly roundAt: number;
}

/** The outcome rows of one shard. */
export class OutcomeRows {
  readonly rows: RowChunks;

  constructor(memory: TableMemory = PLAIN_MEMORY) {
    this.rows = new RowChunks(ROW_WORDS, memory);
  }

  /** Stores an outcome and returns its row. */
  add(facts: OutcomeFacts): number {
    const row = this.rows.allocate();
    const words = this.rows.words(row);
    const at = this.rows.at(row);
    const { key, body, round } = facts.keys;
    const keyAt = facts.row * 4;
    words[at] = key[keyAt];
    words[at + 1] = key[keyAt + 1];
    words[at + 2] = key[keyAt + 2];
    words[at + 3] = key[keyAt + 3];
    words[at + META_WORD] = facts.kind | (facts.code << 8) | (facts.traits << 16);
    words[at + ACCOUNT_WORD] = facts.accountRow + 1;
    words[at + BODY_WORD] = body[facts.row * 2];
    words[at + BODY_WORD + 1] = body[facts.row * 2 + 1];
    writeStamp(words, at + STAMP_WORD, facts.sequence, facts.timeMs);
    words[at + EXTRA_WORD] = facts.extra;
    const { roundAt } = facts;
    words[at + ROUND_WORD] = round[roundAt];
    words[at + ROUND_WORD + 1] = round[roundAt + 1];
    words[at + ROUND_WORD + 2] = round[roundAt + 2];
    words[at + ROUND_WORD + 3] = round[roundAt + 3];
    const floats = this.rows.floats(row);
    const first = (at >>> 1) + AMOUNT_DOUBLE;
    floats[first] = facts.amountMinor;
    floats[first + 1] = facts.cashMovedMinor;
    floats[first + 2] = facts.bonusMovedMinor;
    floats[first + 3] = facts.cashMinor;
    floats[first + 4] = facts.bonusMinor;
    floats[first + 5] = facts.heldMinor;
    return row;
  }

  code(row: number): number {
    return (this.#word(row, META_WORD) >>> 8) & 0xff;
  }

  /** Bits of OutcomeTrait. */
  traits(row: number): number {
    return this.#word(row, META_WORD) >>> 16;
  }

  /** The account's row, or −1 for an outcome that has none. */
  accountRow(row: number): number {
    return this.#word(row, ACCOUNT_WORD) - 1;
  }

  /** Whether the body's two words at a place equal the row's (rule 3). */
  bodyEquals(row: number, bodyHash: Int32Array, at: number): boolean {
    const first = this.#word(row, BODY_WORD);
    return first === bodyHash[at] && this.#word(row, BODY_WORD + 1) === bodyHash[at + 1];
  }

  sequence(row: number): number {
    return readSequence(this.rows.words(row), this.rows.at(row) + STAMP_WORD);
  }

  timeMs(row: number): number {
    return readTimeMs(this.rows.words(row), this.rows.at(row) + STAMP_WORD);
  }

  extra(row: number): number {
    return this.#word(row, EXTRA_WORD);
  }

  /** The amount asked for, with its sign; what was moved may differ (rejections, noop). */
  amountMinor(row: number): number {
    return this.#double(row, 0);
  }

  cashMovedMinor(row: number): number {
    return this.#double(row, 1);
  }

  bonusMovedMinor(row: number): number {
    return this.#double(row, 2);
  }

  cashMinor(row: number): number {
    return this.#double(row, 3);
  }

  bonusMinor(row: number): number {
    return this.#double(row, 4);
  }

  heldMinor(row: number): number {
    return this.#double(row, 5);
  }

  /** Copies the key of the outcome's round. */
  readRoundKey(row: number, round: Int32Array, roundAt: number): void {
    const words = this.rows.words(row);
    const at = this.rows.at(row) + ROUND_WORD;
    round[roundAt] = words[at];
    round[roundAt + 1] = words[at + 1];
    round[roundAt + 2] = words[at + 2];
    round[roundAt + 3] = words[at + 3];
  }

  roundEquals(row: number, round: Int32Array, roundAt: number): boolean {
    const words = this.rows.words(row);
    const at = this.rows.at(row) + ROUND_WORD;
    return (
      words[at] === round[roundAt] &&
      words[at + 1] === round[roundAt + 1] &&
      words[at + 2] === round[roundAt + 2] &&
      words[at + 3] === round[roundAt + 3]
    );
  }

  #word(row: number, word: number): number {
    return this.rows.words(row)[this.rows.at(row) + word];
  }

  #double(row: number, double: number): number {
    return this.rows.floats(row)[(this.rows.at(row) >>> 1) + AMOUNT_DOUBLE + double];
  }
}

/** Writes a sequence and a time, 48 bits each, into three words. */
export function writeStamp(words: Int32Array, at: number, sequence: number, timeMs: number): void {
  words[at] = sequence;
  words[at + 1] = timeMs;
  words[at + 2] = Math.floor(sequence / TWO_32) | (Math.floor(timeMs / TWO_32) << 16);
}

/** The sequence of a stamp. */
export function readSequence(words: Int32Array, at: number): number {
  return (words[at] >>> 0) + (words[at + 2] & 0xffff) * TWO_32;
}

/** The time of a stamp in ms. */
export function readTimeMs(words: Int32Array, at: number): number {
  return (words[at + 1] >>> 0) + (words[at + 2] >>> 16) * TWO_32;
}
