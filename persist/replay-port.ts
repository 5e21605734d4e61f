// The replay port: how the reader's thread hands decoded batches to the thread that owns the state.
// One piece of shared memory for one replay. ReaderSlots belongs to the reader, AppliedSlots to the
// thread that applies.
//
//   reader                       shared memory                        thread of the state
//   fill slot n mod 6 ───────▶   columns, texts, spans
//   publish(n): spanCount, then  published = n, ring           ───▶   waitForSlot, apply, then
//   waitForRoom            ◀───  applied = n, ring             ◀───   release
//   finish                 ───▶  finished = 1, ring            ───▶   waitForSlot gives null
//   isAbandoned            ◀───  abandoned = 1, ring           ◀───   abandon, waitForEnd
//
// What always holds: applied ≤ published ≤ applied + SLOTS; a slot has one owner at a time; when
// `finished` is seen, the reader holds nothing of the log open any more. Counts are 32 bits and
// wrap; only their distance counts. Epochs wrap too and are compared for inequality only.
import { assert } from '../core/assert.ts';
import { ColumnMemory } from '../core/column-memory.ts';
import { ReplayBatch, replayBatchBytes } from '../core/decisions/replay-batch.ts';
import { SpanRows } from './replay-spans.ts';

/**
 * Enough to ride out the other side's pauses; few, so that they stay in the cache that both cores
 * share.
 */
export const REPLAY_SLOTS = 6;

// Control words (Int32). Those written by different threads stand a cache line (64 bytes) apart.
const PUBLISHED = 0;
const FINISHED = 1;
const BEAT = 2;
const READER_EPOCH = 3;
const APPLIED = 16;
const ABANDONED = 17;
const APPLIER_EPOCH = 18;
const CONTROL_BYTES = 128;

/** Backs up each wake-up: a lost one costs this much, not a hang (design section 7). */
const POLL_MS = 5;

/** A reader that shows no life for so long is gone: one block takes it milliseconds. */
const SILENCE_MAX_MS = 30_000;

/** A batch and what it is made of. */
export interface ReplaySlot {
  readonly batch: ReplayBatch;
  readonly spans: SpanRows;
}

/** Memory for one replay. Tests pass a start count near 2^31 or 2^32 to cross the wrap. */
export function allocateReplayPort(startCount: number = 0): SharedArrayBuffer {
  assert(Number.isSafeInteger(startCount) && startCount >= 0, 'a start count is a whole number');
  const slotBytes = slotBytesOf();
  const shared = new SharedArrayBuffer(CONTROL_BYTES + REPLAY_SLOTS * slotBytes);
  const control = new Int32Array(shared, 0, CONTROL_BYTES / 4);
  for (const word of [PUBLISHED, READER_EPOCH, APPLIED, APPLIER_EPOCH]) {
    control[word] = startCount | 0;
  }
  return shared;
}

/** The reader's side. */
export class ReaderSlots {
  readonly #control: Int32Array;
  readonly #slots: readonly ReplaySlot[];
  #published: number;
  #slotIndex = 0;

  constructor(shared: SharedArrayBuffer) {
    this.#control = controlOf(shared);
    this.#slots = slotsOf(shared);
    this.#published = Atomics.load(this.#control, PUBLISHED);
  }

  /** Whether nobody wants more: the reader ends. */
  get isAbandoned(): boolean {
    return Atomics.load(this.#control, ABANDONED) !== 0;
  }

  /** Shows that the reader is alive; often, while it works. */
  beat(): void {
    Atomics.add(this.#control, BEAT, 1);
  }

  /** The empty slot to fill next, once there is one; null when the replay was abandoned. */
  waitForRoom(): ReplaySlot | null {
    const control = this.#control;
    for (;;) {
      const epoch = Atomics.load(control, APPLIER_EPOCH);
      if (this.isAbandoned) return null;
      const ahead = (this.#published - Atomics.load(control, APPLIED)) | 0;
      assert(ahead >= 0 && ahead <= REPLAY_SLOTS, 'only published slots are applied');
      if (ahead < REPLAY_SLOTS) break;
      this.beat();
      Atomics.wait(control, APPLIER_EPOCH, epoch, POLL_MS);
    }
    const slot = this.#slots[this.#slotIndex];
    slot.spans.clear();
    slot.batch.clear();
    return slot;
  }

  /** Hands over the slot that waitForRoom gave. */
  publish(): void {
    this.#published = (this.#published + 1) | 0;
    this.#slotIndex = (this.#slotIndex + 1) % REPLAY_SLOTS;
    Atomics.store(this.#control, PUBLISHED, this.#published);
    ring(this.#control, READER_EPOCH);
  }

  /** The last act: nothing more is published, and nothing of the log is open. */
  finish(): void {
    Atomics.store(this.#control, FINISHED, 1);
    ring(this.#control, READER_EPOCH);
  }
}

/** The side of the thread that applies. */
export class AppliedSlots {
  readonly #control: Int32Array;
  readonly #slots: readonly ReplaySlot[];
  readonly #silenceMaxMs: number;
  #applied: number;
  #slotIndex = 0;

  constructor(shared: SharedArrayBuffer, silenceMaxMs: number = SILENCE_MAX_MS) {
    this.#control = controlOf(shared);
    this.#slots = slotsOf(shared);
    this.#silenceMaxMs = silenceMaxMs;
    this.#applied = Atomics.load(this.#control, APPLIED);
  }

  /** The oldest published slot, once there is one; null when all were applied and none comes. */
  waitForSlot(): ReplaySlot | null {
    const life = this.#watchReader();
    for (;;) {
      const epoch = Atomics.load(this.#control, READER_EPOCH);
      // Read first: the reader finishes after it published its last slot.
      const isFinished = Atomics.load(this.#control, FINISHED) !== 0;
      const ready = (Atomics.load(this.#control, PUBLISHED) - this.#applied) | 0;
      assert(ready >= 0 && ready <= REPLAY_SLOTS, 'a reader publishes no more than its slots');
      if (ready > 0) return this.#slots[this.#slotIndex];
      if (isFinished) return null;
      Atomics.wait(this.#control, READER_EPOCH, epoch, POLL_MS);
      life.check();
    }
  }

  /** Gives the slot back to the reader. */
  release(): void {
    this.#applied = (this.#applied + 1) | 0;
    this.#slotIndex = (this.#slotIndex + 1) % REPLAY_SLOTS;
    Atomics.store(this.#control, APPLIED, this.#applied);
    ring(this.#control, APPLIER_EPOCH);
  }

  /** Tells the reader to end, and waits until it holds nothing of the log open. */
  abandon(): void {
    Atomics.store(this.#control, ABANDONED, 1);
    ring(this.#control, APPLIER_EPOCH);
    const life = this.#watchReader();
    for (;;) {
      const epoch = Atomics.load(this.#control, READER_EPOCH);
      if (Atomics.load(this.#control, FINISHED) !== 0) return;
      Atomics.wait(this.#control, READER_EPOCH, epoch, POLL_MS);
      life.check();
    }
  }

  /** Throws from check() once the reader's beat has stood still for too long. */
  #watchReader(): { check: () => void } {
    const control = this.#control;
    const silenceMaxMs = this.#silenceMaxMs;
    let beat = Atomics.load(control, BEAT);
    let seenAtMs = performance.now();
    return {
      check(): void {
        const newBeat = Atomics.load(control, BEAT);
        const nowMs = performance.now();
        if (newBeat !== beat) seenAtMs = nowMs;
        beat = newBeat;
        if (nowMs - seenAtMs > silenceMaxMs) throw new SilentReaderError(silenceMaxMs);
      },
    };
  }
}

/** The reader's thread ended without a word, or the disk does not answer. */
export class SilentReaderError extends Error {
  override readonly name = 'SilentReaderError';

  constructor(silenceMs: number) {
    super(
      `Cannot replay the log because its reader must make progress: none for ${silenceMs} ms. ` +
        'Look for a disk that hangs, or for a lack of memory, and start again.',
    );
  }
}

function controlOf(shared: SharedArrayBuffer): Int32Array {
  return new Int32Array(shared, 0, CONTROL_BYTES / 4);
}

function slotBytesOf(): number {
  const counted = new ColumnMemory();
  void new SpanRows(counted);
  return counted.byteCount + replayBatchBytes();
}

function slotsOf(shared: SharedArrayBuffer): readonly ReplaySlot[] {
  const slotBytes = slotBytesOf();
  return Array.from({ length: REPLAY_SLOTS }, (_, index) => {
    const memory = new ColumnMemory(shared, CONTROL_BYTES + index * slotBytes);
    return { spans: new SpanRows(memory), batch: new ReplayBatch(memory) };
  });
}

function ring(control: Int32Array, word: number): void {
  Atomics.add(control, word, 1);
  Atomics.notify(control, word);
}
