// When the frames of one connection are due at a given rate (open loop), and the timer that waits
// for the next one.
//
// A schedule, not a delay after an answer: a server that stalls gets no rest, and what the limit of
// unanswered frames held back counts its latency from when it was due, not from when it was sent at
// last. Else the wait of the frames behind a stall would be missing (coordinated omission).
//
// Node's timers know milliseconds and come late rather than early, 0.14 ms at best. So a frame may
// go up to EARLY_MS before it is due; such a one counts from its sending, as in a closed loop.
import { assert } from '../../core/assert.ts';

/** The rate of a run, and this connection's place in it. */
export interface PaceSettings {
  /** Transactions a second over all connections. */
  readonly ratePerSecond: number;
  readonly frameTransactions: number;
  readonly connectionCount: number;
  readonly connection: number;
}

/** A timer asked for n milliseconds comes after n to n + 1.15: two never make a frame late. */
const EARLY_MS = 2;
const MS_PER_SECOND = 1_000;
const FRAMES_PER_SECOND_MIN = 100;
const FRAME_TRANSACTIONS_MAX = 1_000;

/** The largest of 1, 10, 100 and 1,000 that makes 100 frames or more of a second's load. */
export function frameTransactionsAt(ratePerSecond: number): number {
  const transactionsMax = Math.max(1, ratePerSecond / FRAMES_PER_SECOND_MIN);
  return Math.min(FRAME_TRANSACTIONS_MAX, 10 ** Math.floor(Math.log10(transactionsMax)));
}

/** The schedule of one connection's frames from a moment on; frames are counted from 0. */
export class Pace {
  readonly #firstDueMs: number;
  readonly #frameMs: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(settings: PaceSettings, startMs: number) {
    const { ratePerSecond, frameTransactions, connectionCount, connection } = settings;
    assert(ratePerSecond > 0, 'a rate is above 0');
    this.#frameMs = (frameTransactions * connectionCount * MS_PER_SECOND) / ratePerSecond;
    // Connections take turns: all at once would be a burst that the rate does not mean.
    this.#firstDueMs = startMs + EARLY_MS + (this.#frameMs * connection) / connectionCount;
  }

  /** How many frames may have been sent by now. */
  frameCountAt(nowMs: number): number {
    const passedMs = nowMs + EARLY_MS - this.#firstDueMs;
    return passedMs < 0 ? 0 : Math.floor(passedMs / this.#frameMs) + 1;
  }

  /** The moment from which the latency of a frame counts that is sent now. */
  countsFromMs(frame: number, nowMs: number): number {
    return Math.min(nowMs, this.#dueMs(frame));
  }

  /** Calls once, as soon as this frame may go; keeps the call that is waiting already. */
  waitFor(frame: number, nowMs: number, onDue: () => void): void {
    if (this.#timer !== null) return;
    const waitMs = this.#dueMs(frame) - EARLY_MS - nowMs;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        onDue();
      },
      Math.max(1, Math.ceil(waitMs)),
    );
  }

  /** Ends the wait without a call. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #dueMs(frame: number): number {
    return this.#firstDueMs + frame * this.#frameMs;
  }
}
