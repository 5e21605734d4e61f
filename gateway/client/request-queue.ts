// Owns the order of one connection's requests: first those that were sent and are unanswered, by
// ascending id, then those that wait. Sends while the bound on what is in flight allows, sends all
// unanswered ones again after a break, and after an `overloaded` waits until nothing is on its way.
//
//   add ─▶ waiting ─▶ unanswered ─answer─▶ waiters
//                     ▲       └──refused (60…64)──▶ stays, marked; sent again when all are marked
import { ResultCode } from '../../core/result-codes.ts';
import type { KassaClientError } from './client-error.ts';
import { notUnderstood, RETRY_AFTER_MS_DEFAULT, wholeNumber } from './outcome.ts';
import { Request, type RequestType, type Waiter } from './request.ts';

/** Bounds of a queue; all but the delay can be lowered by what the server says in its hello. */
export interface QueueBounds {
  readonly batchTransactionsMax: number;
  readonly inFlightTransactionsMax: number;
  readonly frameBytesMax: number;
}

/** The queue's way out and its owner's ears. */
export interface QueuePort {
  readonly canSend: () => boolean;
  readonly send: (frame: Uint8Array) => void;
  readonly onOverloaded: (code: number, retryAfterMs: number) => void;
  readonly onIdle: () => void;
  /** Whether a refusal is sent again here, or handed to those who wait. */
  readonly retriesRefused: boolean;
}

const REFUSED_TYPE = 9;
const RETRYABLE_CODE_MIN = 60;

/** Requests of one connection in their order. */
export class RequestQueue {
  bounds: QueueBounds;
  readonly #port: QueuePort;
  #waiting: Request[] = [];
  // A Map keeps insertion order, and ids are given in sending order: walking it is resend order.
  readonly #unanswered = new Map<number, Request>();
  #nextId = 1;
  #inFlightTransactions = 0;
  #waitingTransactions = 0;
  #refusedCount = 0;
  #retryAfterMs = 0;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(bounds: QueueBounds, port: QueuePort) {
    this.bounds = bounds;
    this.#port = port;
  }

  /** Transactions that wait or are in flight. */
  get transactionCount(): number {
    return this.#waitingTransactions + this.#inFlightTransactions;
  }

  /** Whether something was sent that has no answer. */
  get hasUnanswered(): boolean {
    return this.#unanswered.size > 0;
  }

  /** Adds one item: to the last waiting request if it is of this type and has room. */
  addItem(type: RequestType, item: unknown, waiter: Waiter): void {
    const last = this.#waiting.at(-1);
    this.#waitingTransactions += 1;
    if (last?.type === type && last.items.length < this.bounds.batchTransactionsMax) {
      last.items.push(item);
      last.waiters.push(waiter);
    } else {
      this.#waiting.push(new Request(type, [item], [waiter]));
    }
  }

  /** Adds a request that stays as it is: an atomic batch, a ping. */
  addRequest(request: Request): void {
    this.#waitingTransactions += request.weight;
    this.#waiting.push(request);
  }

  /** Whether a full request waits, so that waiting for more items would gain nothing. */
  get hasFullRequest(): boolean {
    return (this.#waiting[0]?.items.length ?? 0) >= this.bounds.batchTransactionsMax;
  }

  /** Sends what waits, as far as the bound on what is in flight allows. */
  pump(): void {
    while (this.#waiting.length > 0 && this.#port.canSend() && this.#refusedCount === 0) {
      const request = this.#waiting[0];
      const isOverBound =
        this.#inFlightTransactions + request.weight > this.bounds.inFlightTransactionsMax;
      if (isOverBound && this.#inFlightTransactions > 0) return;
      const frame = request.encode(this.#nextId);
      if (frame.byteLength > this.bounds.frameBytesMax && request.canSplit) {
        this.#waiting.splice(1, 0, request.splitOff());
        continue;
      }
      this.#waiting.shift();
      this.#waitingTransactions -= request.weight;
      if (frame.byteLength > this.bounds.frameBytesMax) {
        // The server would close the connection over it, and all others would be sent again.
        request.refuse(ResultCode.tooLarge, null);
        continue;
      }
      this.#nextId += 1;
      this.#inFlightTransactions += request.weight;
      this.#unanswered.set(request.id, request);
      this.#port.send(frame);
    }
  }

  /** Sends every unanswered request again, in order, then what waits. */
  sendAgain(): void {
    clearTimeout(this.#retryTimer);
    this.#refusedCount = 0;
    this.#retryAfterMs = 0;
    for (const request of this.#unanswered.values()) {
      request.isRefused = false;
      if (request.frame !== null) this.#port.send(request.frame);
    }
    this.pump();
  }

  /** The connection broke: nothing is to be sent until sendAgain. */
  pause(): void {
    clearTimeout(this.#retryTimer);
  }

  /** Takes one answer's array; answers to requests that are no longer known are ignored. */
  take(answer: readonly unknown[]): void {
    const request = this.#unanswered.get(wholeNumber(answer[1]));
    if (request === undefined) return;
    if (answer[0] === REFUSED_TYPE) {
      this.#takeRefusal(request, wholeNumber(answer[2]), String(answer[3] ?? ''));
    } else if (answer[0] === request.answerType) {
      this.#forget(request);
      request.answer(wholeNumber(answer[2]), answer[3]);
    } else {
      throw notUnderstood(answer);
    }
    this.#settle();
  }

  /** Rejects all who wait. */
  fail(error: KassaClientError): void {
    clearTimeout(this.#retryTimer);
    const requests = [...this.#unanswered.values(), ...this.#waiting];
    this.#unanswered.clear();
    this.#waiting = [];
    this.#inFlightTransactions = 0;
    this.#waitingTransactions = 0;
    for (const request of requests) request.fail(error);
  }

  #takeRefusal(request: Request, code: number, text: string): void {
    const isRetryable = code >= RETRYABLE_CODE_MIN;
    const retryAfterMs = /^\d+$/.test(text) ? Number(text) : RETRY_AFTER_MS_DEFAULT;
    if (isRetryable) this.#port.onOverloaded(code, retryAfterMs);
    if (!isRetryable || !this.#port.retriesRefused) {
      this.#forget(request);
      request.refuse(code, isRetryable ? retryAfterMs : null);
    } else if (!request.isRefused) {
      request.isRefused = true;
      this.#refusedCount += 1;
      this.#retryAfterMs = Math.max(this.#retryAfterMs, retryAfterMs);
    }
  }

  #forget(request: Request): void {
    this.#unanswered.delete(request.id);
    this.#inFlightTransactions -= request.weight;
    if (request.isRefused) this.#refusedCount -= 1;
  }

  #settle(): void {
    if (this.#refusedCount === 0) this.pump();
    else if (this.#refusedCount === this.#unanswered.size) this.#scheduleRetry();
    if (this.#unanswered.size === 0 && this.#waiting.length === 0) this.#port.onIdle();
  }

  // Only when all that is unanswered was refused: then nothing later can overtake what is sent
  // again.
  #scheduleRetry(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => {
      if (this.#port.canSend()) this.sendAgain();
    }, this.#retryAfterMs);
  }
}
