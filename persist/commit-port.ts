// The commit port: how a lane hands its blocks to the log writer and learns that they are on disk.
// One piece of shared memory a lane. LaneBlocks belongs to the lane's thread, WriterBlocks to the
// log writer's; the gate at the end is for tests.
//
//   lane                         shared memory                        log writer
//   append records ──────────▶   buffer of slot n mod 4
//   handOver(n): fields, then    handedOver = n, ring the bell  ───▶  take, commit, then
//   positionOf(n)          ◀───  positions, then durable = n    ◀───  publish
//   waitForDurable         ◀───  wake epoch + 1, notify
//
// What always holds: durable ≤ handedOver ≤ durable + BLOCKS_PER_LANE; a buffer has one owner at a
// time; a block counts as durable only after the disk has it. Counts in shared memory are the low
// 32 bits and wrap; each side extends them by their distance to its own 53-bit count. Epochs wrap
// too and are compared for inequality only. A crash leaves nothing: the memory is gone, and what
// was not durable was not answered.
import { crc32 } from 'node:zlib';
import { assert } from '../core/assert.ts';
import { BlockContent } from '../core/block-content.ts';
import { BLOCK_CONTENT_BYTES_MAX, BLOCKS_PER_LANE } from '../core/limits.ts';
import { isStopping } from './stop-signal.ts';

// Control words (Int32). Those written by different threads stand a cache line (64 bytes) apart.
const HANDED_OVER = 0;
const CLOSED = 1;
const DURABLE = 16;
const WAKE_EPOCH = 17;
const BELL_EPOCH = 32;
const HELD = 48;
const COMMITTING = 49;
const CONTROL_BYTES = 256;

// Fields of a slot (Float64), then the ring of positions.
const FIELD_BYTES = 0;
const FIELD_RECORDS = 1;
const FIELD_FIRST_SEQUENCE = 2;
const FIELD_TIME = 3;
const FIELD_CHECKSUM = 4;
const FIELDS_PER_SLOT = 8;
const POSITIONS_KEPT = BLOCKS_PER_LANE * 2;
const FIELDS = BLOCKS_PER_LANE * FIELDS_PER_SLOT;
const START_COUNT = FIELDS + POSITIONS_KEPT;
const NUMBERS = START_COUNT + 1;
const BUFFERS_AT = CONTROL_BYTES + NUMBERS * Float64Array.BYTES_PER_ELEMENT;

/** Backs up each wake-up: a lost one costs this much, not a hang (design section 7). */
const POLL_MS = 5;
const GATE_WAIT_MS = 10_000;

/** Memory for one lane's port. Tests pass a start count near 2^31 or 2^32 to cross the wrap. */
export function allocateCommitPort(startCount: number = 0): SharedArrayBuffer {
  assert(Number.isSafeInteger(startCount) && startCount >= 0, 'a start count is a whole number');
  const shared = new SharedArrayBuffer(BUFFERS_AT + BLOCKS_PER_LANE * BLOCK_CONTENT_BYTES_MAX);
  const control = new Int32Array(shared, 0, CONTROL_BYTES / 4);
  for (const word of [HANDED_OVER, DURABLE, WAKE_EPOCH, BELL_EPOCH]) control[word] = startCount | 0;
  numbersOf(shared)[START_COUNT] = startCount;
  return shared;
}

/** What a lane's side of a port needs beside the port itself. */
export interface LaneBlocksOptions {
  /** The first lane's port, whose bell the log writer waits on; the lane's own when it is alone. */
  readonly bellPort?: SharedArrayBuffer;
  /** The process's stop signal; waitForDurable ends on it. */
  readonly stop?: SharedArrayBuffer;
  /** Position of the log's end after recovery: what lastPosition says before the first block. */
  readonly resumePosition?: number;
}

/** The lane's side. Not for two threads at once. */
export class LaneBlocks {
  readonly #control: Int32Array;
  readonly #bell: Int32Array;
  readonly #stop: SharedArrayBuffer | undefined;
  readonly #fields: Float64Array;
  readonly #contents: BlockContent[] = [];
  #open: BlockContent | null = null;
  #handedOver: number;
  readonly #startCount: number;
  readonly #resumePosition: number;

  constructor(shared: SharedArrayBuffer, options: LaneBlocksOptions = {}) {
    this.#control = new Int32Array(shared, 0, CONTROL_BYTES / 4);
    this.#bell = new Int32Array(options.bellPort ?? shared, 0, CONTROL_BYTES / 4);
    this.#stop = options.stop;
    this.#fields = numbersOf(shared);
    this.#startCount = this.#fields[START_COUNT] ?? 0;
    this.#handedOver = this.#startCount;
    this.#resumePosition = options.resumePosition ?? 0;
    assert(this.#control[HANDED_OVER] === (this.#handedOver | 0), 'a port has one lane, made once');
    for (let slot = 0; slot < BLOCKS_PER_LANE; slot++) {
      this.#contents.push(new BlockContent(bufferOf(shared, slot)));
    }
  }

  /** The open block, the same until it is handed over; null while every buffer is on its way. */
  open(): BlockContent | null {
    if (this.#open !== null) return this.#open;
    if (this.#handedOver - this.durableCount >= BLOCKS_PER_LANE) return null;
    const content = this.#contents[(this.#handedOver + 1) % BLOCKS_PER_LANE];
    assert(content !== undefined, 'every slot has a buffer');
    content.reset();
    this.#open = content;
    return content;
  }

  /**
   * Gives the open block to the log writer; returns its lane block number (from 1, or from the
   * start count), or 0 when there is no open block or it holds no record.
   */
  handOver(): number {
    const content = this.#open;
    if (content === null || content.recordCount === 0) return 0;
    assert(content.usedBytes <= content.bytes.byteLength, 'a block keeps within its buffer');
    const laneBlock = this.#handedOver + 1;
    const fieldsAt = (laneBlock % BLOCKS_PER_LANE) * FIELDS_PER_SLOT;
    this.#fields[fieldsAt + FIELD_BYTES] = content.usedBytes;
    this.#fields[fieldsAt + FIELD_RECORDS] = content.recordCount;
    this.#fields[fieldsAt + FIELD_FIRST_SEQUENCE] = content.firstSequence;
    this.#fields[fieldsAt + FIELD_TIME] = content.lastTimeMs;
    this.#fields[fieldsAt + FIELD_CHECKSUM] = crc32(content.bytes.subarray(0, content.usedBytes));
    this.#open = null;
    this.#handedOver = laneBlock;
    Atomics.store(this.#control, HANDED_OVER, laneBlock | 0);
    ring(this.#bell, BELL_EPOCH);
    return laneBlock;
  }

  /** Number of the last block handed over. */
  get handedOverCount(): number {
    return this.#handedOver;
  }

  /** Number of the last block that is on disk. */
  get durableCount(): number {
    const behind = (this.#handedOver - Atomics.load(this.#control, DURABLE)) | 0;
    assert(behind >= 0 && behind <= BLOCKS_PER_LANE, 'durable blocks were handed over before');
    return this.#handedOver - behind;
  }

  /** Position of a durable block, one of the last eight that this lane handed over. */
  positionOf(laneBlock: number): number {
    assert(laneBlock <= this.durableCount, 'only a durable block has a position');
    assert(laneBlock > this.#handedOver - POSITIONS_KEPT, 'a position is kept for eight blocks');
    assert(laneBlock > this.#startCount, 'a position is known for blocks of this run');
    return this.#fields[FIELDS + (laneBlock % POSITIONS_KEPT)] ?? 0;
  }

  /** Position of this lane's last durable block, or where recovery ended. */
  get lastPosition(): number {
    const durable = this.durableCount;
    return durable > this.#startCount ? this.positionOf(durable) : this.#resumePosition;
  }

  /**
   * Resolves when more than `count` blocks are durable, or the process is stopping. Read the count
   * once and compare it with handedOverCount before: a count that is read anew for this call may
   * already be the last, and then nothing comes. Waiting keeps no thread alive by itself; the
   * lane's sockets do.
   */
  async waitForDurable(count: number): Promise<void> {
    for (;;) {
      const epoch = Atomics.load(this.#control, WAKE_EPOCH);
      if (this.durableCount > count) return;
      if (this.#stop !== undefined && isStopping(this.#stop)) return;
      const waiting = Atomics.waitAsync(this.#control, WAKE_EPOCH, epoch, POLL_MS);
      if (waiting.async) await waiting.value;
    }
  }

  /** Tells the log writer that nothing more comes; it ends when all lanes have said so. */
  close(): void {
    assert(this.#open === null || this.#open.recordCount === 0, 'no open block is left at the end');
    Atomics.store(this.#control, CLOSED, 1);
    ring(this.#bell, BELL_EPOCH);
  }
}

/** A block that a lane handed over; valid until it is published. */
export interface HandedBlock {
  /** In shared memory: copy it before anything but JavaScript reads it. */
  readonly content: Uint8Array;
  readonly recordCount: number;
  readonly firstSequence: number;
  readonly lastTimeMs: number;
  readonly contentChecksum: number;
}

/** The log writer's side of one lane's port. */
export class WriterBlocks {
  readonly #control: Int32Array;
  readonly #fields: Float64Array;
  readonly #shared: SharedArrayBuffer;
  #durable: number;

  constructor(shared: SharedArrayBuffer) {
    this.#shared = shared;
    this.#control = new Int32Array(shared, 0, CONTROL_BYTES / 4);
    this.#fields = numbersOf(shared);
    this.#durable = this.#fields[START_COUNT] ?? 0;
    assert(this.#control[DURABLE] === (this.#durable | 0), 'a port has one writer, made once');
  }

  /** Blocks that are handed over and not yet published; 0 while tests hold the gate. */
  startTaking(): number {
    Atomics.store(this.#control, COMMITTING, 1);
    // After the store above, so that a holder sees either this taking or that it was prevented.
    if (Atomics.load(this.#control, HELD) !== 0) {
      this.finishTaking();
      return 0;
    }
    return this.#readyCount();
  }

  /** The ready block of that index, 0 for the oldest. */
  block(index: number): HandedBlock {
    const slot = (this.#durable + 1 + index) % BLOCKS_PER_LANE;
    const fieldsAt = slot * FIELDS_PER_SLOT;
    const contentBytes = this.#fields[fieldsAt + FIELD_BYTES] ?? 0;
    assert(contentBytes > 0, 'a block that was handed over has content');
    return {
      content: bufferOf(this.#shared, slot).subarray(0, contentBytes),
      recordCount: this.#fields[fieldsAt + FIELD_RECORDS] ?? 0,
      firstSequence: this.#fields[fieldsAt + FIELD_FIRST_SEQUENCE] ?? 0,
      lastTimeMs: this.#fields[fieldsAt + FIELD_TIME] ?? 0,
      contentChecksum: this.#fields[fieldsAt + FIELD_CHECKSUM] ?? 0,
    };
  }

  /** Makes the oldest blocks known as durable, with their positions, and wakes the lane. */
  publish(positions: readonly number[]): void {
    assert(positions.length > 0, 'a publication is of at least one block');
    for (const position of positions) {
      this.#durable++;
      this.#fields[FIELDS + (this.#durable % POSITIONS_KEPT)] = position;
    }
    Atomics.store(this.#control, DURABLE, this.#durable | 0);
    ring(this.#control, WAKE_EPOCH);
  }

  /** After taking, with or without a commit: lets a waiting holder of the gate go on. */
  finishTaking(): void {
    Atomics.store(this.#control, COMMITTING, 0);
    Atomics.notify(this.#control, COMMITTING);
  }

  /** Whether the lane has closed and everything it handed over is durable. */
  get isDone(): boolean {
    // Closed is read first: a lane closes after its last block was handed over.
    return Atomics.load(this.#control, CLOSED) !== 0 && this.#readyCount() === 0;
  }

  /** The bell's epoch; read it before looking for work, then pass it to waitForBell. */
  get bellEpoch(): number {
    return Atomics.load(this.#control, BELL_EPOCH);
  }

  /**
   * Blocks the thread until the bell rings, at most the poll time. Of the first lane's port only.
   */
  waitForBell(epoch: number): void {
    Atomics.wait(this.#control, BELL_EPOCH, epoch, POLL_MS);
  }

  #readyCount(): number {
    const ready = (Atomics.load(this.#control, HANDED_OVER) - this.#durable) | 0;
    assert(ready >= 0 && ready <= BLOCKS_PER_LANE, 'a lane hands over no more than its buffers');
    return ready;
  }
}

/** Test gate: when this returns, nothing more of the port becomes durable until it is released. */
export function holdCommits(shared: SharedArrayBuffer): void {
  const control = new Int32Array(shared, 0, CONTROL_BYTES / 4);
  Atomics.store(control, HELD, 1);
  if (Atomics.load(control, COMMITTING) === 0) return;
  const outcome = Atomics.wait(control, COMMITTING, 1, GATE_WAIT_MS);
  assert(outcome !== 'timed-out', 'a commit ends within the gate’s waiting time');
}

/** Opens the gate again. */
export function releaseCommits(shared: SharedArrayBuffer): void {
  const control = new Int32Array(shared, 0, CONTROL_BYTES / 4);
  Atomics.store(control, HELD, 0);
  ring(control, BELL_EPOCH);
}

function numbersOf(shared: SharedArrayBuffer): Float64Array {
  return new Float64Array(shared, CONTROL_BYTES, NUMBERS);
}

function bufferOf(shared: SharedArrayBuffer, slot: number): Uint8Array {
  return new Uint8Array(
    shared,
    BUFFERS_AT + slot * BLOCK_CONTENT_BYTES_MAX,
    BLOCK_CONTENT_BYTES_MAX,
  );
}

function ring(control: Int32Array, word: number): void {
  Atomics.add(control, word, 1);
  Atomics.notify(control, word);
}
