// Answers that wait for the disk, of all connections of a lane, in the order they were decided in
// (law 1). Each knows the lane's block that holds or follows the state it was decided on; blocks
// become durable in order, so what may leave is always the front of one queue. Lane's thread only;
// a crash loses the queue: nobody was answered, senders ask again.
//
//   decided ──▶ [ block 7 | block 7 | block 8 | block 8 | block 9 ]      durable = 8
//                └────────── leave now, one frame a connection ──┘
import { assert } from '../../core/assert.ts';
import type { LaneBlocks } from '../../persist/commit-port.ts';
import type { LaneCounters } from '../metrics/lane-counters.ts';
import { fillPosition } from '../wire/answer-writer.ts';
import type { Connection } from './connection.ts';
import { ANSWER_FRAME_BYTES_MAX } from './lane-limits.ts';

/** What an outbox reports to. */
export interface OutboxOptions {
  readonly blocks: LaneBlocks;
  readonly counters: LaneCounters;
}

/** Close codes of kassa.v1 (contract of the protocol). */
export const CloseCode = {
  goingAway: 1001,
  malformed: 4400,
  unauthorised: 4401,
  slowReader: 4408,
} as const;

const CLOSE_REASONS: Readonly<Record<number, string>> = {
  [CloseCode.goingAway]: 'the server is stopping',
  [CloseCode.malformed]: 'malformed',
  [CloseCode.unauthorised]: 'the key is not valid any more',
};
const ROWS_START = 1_024;

/** The queue of decided answers. */
export class Outbox {
  readonly #blocks: LaneBlocks;
  readonly #counters: LaneCounters;
  readonly #countAtStart: number;
  readonly #positionAtStart: number;
  // A ring over typed arrays, its size a power of two: rows #first to #end − 1, modulo the size.
  #connections: (Connection | null)[] = new Array(ROWS_START).fill(null);
  #block: Float64Array = new Float64Array(ROWS_START);
  #endMark: Float64Array = new Float64Array(ROWS_START);
  #positionMark: Float64Array = new Float64Array(ROWS_START);
  #count: Uint32Array = new Uint32Array(ROWS_START);
  #receivedMs: Float64Array = new Float64Array(ROWS_START);
  #first = 0;
  #end = 0;
  readonly #touched: Connection[] = [];
  /** Unanswered transactions of the lane; the intake adds, the outbox takes away. */
  unansweredCount = 0;

  constructor(options: OutboxOptions) {
    this.#blocks = options.blocks;
    this.#counters = options.counters;
    this.#countAtStart = options.blocks.handedOverCount;
    this.#positionAtStart = options.blocks.lastPosition;
  }

  /** Answers that wait. */
  get waitingCount(): number {
    return this.#end - this.#first;
  }

  /**
   * Puts an answer into the queue that is complete at the end of its connection's buffer. `count`
   * is what it counts in the limits, `positionMark` where its position belongs, −1 for none.
   * Positional parameters: it is called for each request.
   */
  add(connection: Connection, count: number, receivedMs: number, positionMark: number): void {
    if (this.#end - this.#first === this.#connections.length) this.#grow();
    const row = this.#end & (this.#connections.length - 1);
    const open = this.#blocks.open();
    const opened = open !== null && open.recordCount > 0 ? 1 : 0;
    this.#block[row] = this.#blocks.handedOverCount + opened;
    this.#connections[row] = connection;
    this.#endMark[row] = connection.buffer.mark;
    this.#positionMark[row] = positionMark;
    this.#count[row] = count;
    this.#receivedMs[row] = receivedMs;
    this.#end += 1;
  }

  /** Sends every answer whose block is durable. */
  release(): void {
    const durable = this.#blocks.durableCount;
    const mask = this.#connections.length - 1;
    if (this.#first === this.#end || this.#block[this.#first & mask] > durable) return;
    const nowMs = performance.now();
    while (this.#first < this.#end) {
      const row = this.#first & mask;
      if (this.#block[row] > durable) break;
      this.#first += 1;
      const connection = this.#connections[row];
      this.#connections[row] = null;
      assert(connection !== null, 'a waiting answer has a connection');
      if (!connection.closed) this.#makeReady(connection, row, nowMs);
    }
    for (const connection of this.#touched) {
      connection.isTouched = false;
      this.#send(connection);
    }
    this.#touched.length = 0;
  }

  /** Closes a connection that is to end, unless it is still owed answers. */
  endIfAnswered(connection: Connection): void {
    if (connection.closed || connection.unansweredCount > 0) return;
    connection.sink.close(connection.endCode, CLOSE_REASONS[connection.endCode] ?? '');
  }

  /** Forgets what a lost connection was owed. */
  forget(connection: Connection): void {
    this.unansweredCount -= connection.unansweredCount;
    connection.unansweredCount = 0;
  }

  #makeReady(connection: Connection, row: number, nowMs: number): void {
    const { buffer } = connection;
    const positionMark = this.#positionMark[row];
    if (positionMark >= 0) fillPosition(buffer, positionMark, this.#positionOf(this.#block[row]));
    const endMark = this.#endMark[row];
    if (endMark - buffer.base - buffer.startAt > ANSWER_FRAME_BYTES_MAX) {
      this.#send(connection);
      if (connection.closed) return;
    }
    connection.readyMark = endMark;
    const count = this.#count[row];
    connection.unansweredCount -= count;
    this.unansweredCount -= count;
    if (connection.unansweredCount === 0) connection.overloaded = false;
    this.#counters.observeAnswerMs(nowMs - this.#receivedMs[row], count);
    if (!connection.isTouched) {
      connection.isTouched = true;
      this.#touched.push(connection);
    }
  }

  #positionOf(block: number): number {
    return block > this.#countAtStart ? this.#blocks.positionOf(block) : this.#positionAtStart;
  }

  #send(connection: Connection): void {
    const { buffer } = connection;
    if (connection.closed || connection.readyMark <= buffer.base + buffer.startAt) return;
    const sent = connection.sink.send(buffer.takeUntil(connection.readyMark));
    buffer.discard();
    if (!sent) this.#counters.countRefusal('slow_reader');
    else if (connection.endCode !== 0) this.endIfAnswered(connection);
  }

  #grow(): void {
    const rows = this.#connections.length;
    const order = Array.from({ length: rows }, (_, place) => (this.#first + place) & (rows - 1));
    this.#connections = [
      ...order.map((row) => this.#connections[row]),
      ...new Array<null>(rows).fill(null),
    ];
    this.#block = reordered(this.#block, new Float64Array(rows * 2), order);
    this.#endMark = reordered(this.#endMark, new Float64Array(rows * 2), order);
    this.#positionMark = reordered(this.#positionMark, new Float64Array(rows * 2), order);
    this.#count = reordered(this.#count, new Uint32Array(rows * 2), order);
    this.#receivedMs = reordered(this.#receivedMs, new Float64Array(rows * 2), order);
    this.#end -= this.#first;
    this.#first = 0;
  }
}

function reordered<Column extends Float64Array | Uint32Array>(
  from: Column,
  into: Column,
  order: readonly number[],
): Column {
  for (let place = 0; place < order.length; place += 1) into[place] = from[order[place]];
  return into;
}
