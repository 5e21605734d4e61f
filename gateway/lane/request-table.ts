// The requests of a lane that are received and not yet decided: a row each in typed arrays, linked
// into a queue per connection, so that a frame of one transaction makes no object. Rows are used
// again; the number of rows is bounded by the lane's limit of unanswered transactions. Lane only.
import { assert } from '../../core/assert.ts';
import type { RequestHead } from '../wire/request-head.ts';
import type { InboxChunk } from './inbox.ts';

/** No row: the end of a queue. */
export const NO_REQUEST = -1;

const ROWS_START = 1_024;

/** A queue of rows; each connection is one. */
export interface RequestQueue {
  firstRequest: number;
  lastRequest: number;
}

/** Rows of requests. Columns are replaced when the table grows: read them through the table. */
export class RequestTable {
  readonly chunks: (InboxChunk | null)[] = [];
  /** A number of RequestType, or 0 for a request that is refused with `refusal`. */
  type: Uint8Array = new Uint8Array(ROWS_START);
  refusal: Uint8Array = new Uint8Array(ROWS_START);
  /** 1 once the head of its answer is written. */
  begun: Uint8Array = new Uint8Array(ROWS_START);
  requestId: Float64Array = new Float64Array(ROWS_START);
  /** Next undecoded byte and end of the request in its chunk. */
  at: Float64Array = new Float64Array(ROWS_START);
  end: Float64Array = new Float64Array(ROWS_START);
  /** Transactions or balances asked for, and those not decoded yet. */
  count: Uint32Array = new Uint32Array(ROWS_START);
  remaining: Uint32Array = new Uint32Array(ROWS_START);
  receivedMs: Float64Array = new Float64Array(ROWS_START);
  positionMark: Float64Array = new Float64Array(ROWS_START);
  #next: Int32Array = new Int32Array(ROWS_START);
  #firstFree: number = NO_REQUEST;
  #rowCount = 0;
  #usedCount = 0;

  /** Requests in the table. */
  get usedCount(): number {
    return this.#usedCount;
  }

  /** Puts a request at the end of the queue and returns its row. */
  append(queue: RequestQueue, head: RequestHead, chunk: InboxChunk, receivedMs: number): number {
    const row = this.#takeRow();
    this.chunks[row] = chunk;
    this.type[row] = head.type;
    this.refusal[row] = 0;
    this.begun[row] = 0;
    this.requestId[row] = head.requestId;
    this.at[row] = head.at;
    this.end[row] = chunk.usedBytes;
    this.count[row] = head.count;
    this.remaining[row] = head.count;
    this.receivedMs[row] = receivedMs;
    this.#next[row] = NO_REQUEST;
    if (queue.lastRequest === NO_REQUEST) queue.firstRequest = row;
    else this.#next[queue.lastRequest] = row;
    queue.lastRequest = row;
    return row;
  }

  /** Takes the first request out of the queue; its row stays until `free`. */
  shift(queue: RequestQueue): number {
    const row = queue.firstRequest;
    assert(row !== NO_REQUEST, 'a queue that is shifted holds a request');
    queue.firstRequest = this.#next[row];
    if (queue.firstRequest === NO_REQUEST) queue.lastRequest = NO_REQUEST;
    return row;
  }

  /** Gives a row back. */
  free(row: number): void {
    assert(this.chunks[row] !== null, 'a row is freed once');
    this.chunks[row] = null;
    this.#next[row] = this.#firstFree;
    this.#firstFree = row;
    this.#usedCount -= 1;
  }

  #takeRow(): number {
    this.#usedCount += 1;
    const free = this.#firstFree;
    if (free !== NO_REQUEST) {
      this.#firstFree = this.#next[free];
      return free;
    }
    if (this.#rowCount === this.type.length) this.#grow();
    this.#rowCount += 1;
    return this.#rowCount - 1;
  }

  // Doubling copies at most the limit of unanswered transactions: 200,000 rows of 60 bytes, 3 ms.
  #grow(): void {
    const rows = this.type.length * 2;
    this.type = grown(this.type, new Uint8Array(rows));
    this.refusal = grown(this.refusal, new Uint8Array(rows));
    this.begun = grown(this.begun, new Uint8Array(rows));
    this.requestId = grown(this.requestId, new Float64Array(rows));
    this.at = grown(this.at, new Float64Array(rows));
    this.end = grown(this.end, new Float64Array(rows));
    this.count = grown(this.count, new Uint32Array(rows));
    this.remaining = grown(this.remaining, new Uint32Array(rows));
    this.receivedMs = grown(this.receivedMs, new Float64Array(rows));
    this.positionMark = grown(this.positionMark, new Float64Array(rows));
    this.#next = grown(this.#next, new Int32Array(rows));
  }
}

function grown<Column extends { set(from: Column): void }>(from: Column, into: Column): Column {
  into.set(from);
  return into;
}
