// Requests of one connection: what waits to be sent, what was sent and is unanswered, and who waits
// for the answers. A request keeps its id and its bytes until it is answered, so that sending it
// again after a break is the same request with the same transaction ids (wallet rules 2 and 8).
import { Packr } from 'msgpackr';
import type { KassaClientError } from './client-error.ts';
import { decodeBalance, decodeOutcome, notUnderstood, unrecordedOutcome } from './outcome.ts';

/** The first element of a request's array (PROTOCOL.md, "Requests"). */
export const RequestType = { batch: 1, atomic: 2, balances: 3, ping: 4 } as const;

/** One of the numbers in RequestType. */
export type RequestType = (typeof RequestType)[keyof typeof RequestType];

/** Gets what one item was answered with. */
export interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: KassaClientError) => void;
}

const packr = new Packr({ useRecords: false });
const PING_ITEMS: readonly unknown[] = [];

/** One request frame and those who wait for its items' answers. */
export class Request {
  readonly type: RequestType;
  readonly items: unknown[];
  readonly waiters: Waiter[];
  id = 0;
  frame: Uint8Array | null = null;
  /** Refused with a retryable code since it was last sent. */
  isRefused = false;

  constructor(type: RequestType, items: unknown[] = [], waiters: Waiter[] = []) {
    this.type = type;
    this.items = items;
    this.waiters = waiters;
  }

  /** What it counts against the bound on what is in flight. */
  get weight(): number {
    return Math.max(1, this.items.length);
  }

  /** An atomic batch is answered in the form of any other. */
  get answerType(): RequestType {
    return this.type === RequestType.atomic ? RequestType.batch : this.type;
  }

  /** Gives it its id and bytes; the same ones every time it is sent. */
  encode(id: number): Uint8Array {
    this.id = id;
    this.frame = packr.pack(
      this.type === RequestType.ping ? [this.type, id] : [this.type, id, this.items],
    );
    return this.frame;
  }

  /** Whether its items may go in two frames: not those that are all or nothing. */
  get canSplit(): boolean {
    return this.type !== RequestType.atomic && this.items.length > 1;
  }

  /** The second half of the items as a request of its own: their frame was too large for one. */
  splitOff(): Request {
    const half = this.items.length >>> 1;
    return new Request(this.type, this.items.splice(half), this.waiters.splice(half));
  }

  /** Resolves each waiter from `[type, id, position, list]`. */
  answer(position: number, list: unknown): void {
    if (this.type === RequestType.ping) {
      for (const waiter of this.waiters) waiter.resolve(position);
      return;
    }
    const values: unknown = list ?? PING_ITEMS;
    if (!Array.isArray(values) || values.length !== this.waiters.length) throw notUnderstood(list);
    const decode = this.type === RequestType.balances ? decodeBalance : decodeOutcome;
    for (let row = 0; row < values.length; row += 1) {
      this.waiters[row].resolve(decode(values[row], position));
    }
  }

  /** Resolves each waiter with the code that the whole request was refused with. */
  refuse(code: number, retryAfterMs: number | null): void {
    for (const waiter of this.waiters) {
      if (this.type === RequestType.ping) waiter.resolve(0);
      else if (this.type === RequestType.balances) waiter.resolve(decodeBalance(code, 0));
      else waiter.resolve(unrecordedOutcome(code, 0, retryAfterMs));
    }
  }

  /** Rejects each waiter: no answer will come. */
  fail(error: KassaClientError): void {
    for (const waiter of this.waiters) waiter.reject(error);
  }
}
