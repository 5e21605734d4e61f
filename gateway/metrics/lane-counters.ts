// What one lane counts, in shared memory: the lane's thread writes, the main thread reads at each
// scrape, and nothing is posted per transaction (design section 7). Every cell has one writer: the
// lane, but for `scrape`, which is main's. Aligned 8-byte stores are not torn on the 64-bit
// machines that Kassa runs on; readings of several cells may be a few transactions apart. A crash
// leaves nothing: counters start at zero with the process.
import { assert } from '../../core/assert.ts';

/** What a lane shows as it is now; set with `setGauge`. */
export const LaneGauge = {
  connections: 0,
  unansweredTransactions: 1,
  accounts: 2,
  indexEntries: 3,
  openRounds: 4,
  holds: 5,
  sequence: 6,
  tableBytes: 7,
  recoveryBlocksTotal: 8,
  recoveryBlocks: 9,
  recoveryRecords: 10,
  recoveryBytes: 11,
  heartbeatMs: 12,
} as const;

/** One of the numbers in LaneGauge. */
export type LaneGauge = (typeof LaneGauge)[keyof typeof LaneGauge];

/** Why a whole request or connection was refused; the words are the metric's label. */
export const REFUSAL_REASONS = [
  'connection_unanswered',
  'lane_unanswered',
  'tables_full',
  'stopping',
  'malformed',
  'too_large',
  'unauthorised',
  'forbidden',
  'connections',
  'slow_reader',
] as const;

/** One of REFUSAL_REASONS. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/**
 * Upper bounds of the answer histogram in ms, five a decade from 0.1 ms to 10 s: a bucket is at
 * most 1.6 times its lower bound, so a quantile read from them is off by less than that.
 */
export const ANSWER_BOUNDS_MS: readonly number[] = [
  0.1, 0.16, 0.25, 0.4, 0.63, 1, 1.6, 2.5, 4, 6.3, 10, 16, 25, 40, 63, 100, 160, 250, 400, 630,
  1000, 1600, 2500, 4000, 6300, 10000,
];

// Kinds are below 64 and codes below 65 (core/kinds.ts, core/result-codes.ts).
const KIND_COUNT = 64;
const CODE_COUNT = 65;
const GAUGE_COUNT = 16;

// Cells, in 8-byte words:  transactions | gauges | refusals | answer buckets | the rest
const TRANSACTIONS_AT = 0;
const GAUGES_AT = KIND_COUNT * CODE_COUNT;
const REFUSALS_AT = GAUGES_AT + GAUGE_COUNT;
const ANSWERS_AT = REFUSALS_AT + REFUSAL_REASONS.length;
const ANSWERS_BEYOND_AT = ANSWERS_AT + ANSWER_BOUNDS_MS.length;
const ANSWER_SUM_AT = ANSWERS_BEYOND_AT + 1;
const SLICE_COUNT_AT = ANSWER_SUM_AT + 1;
const SLICE_SUM_AT = SLICE_COUNT_AT + 1;
const SLICE_TRANSACTIONS_AT = SLICE_SUM_AT + 1;
const SLICE_MAX_AT = SLICE_TRANSACTIONS_AT + 1;
const SLICE_RUNNING_MAX_AT = SLICE_MAX_AT + 1;
const SCRAPE_SLICE_MAX_AT = SLICE_RUNNING_MAX_AT + 1;
const SCRAPE_SEEN_AT = SCRAPE_SLICE_MAX_AT + 1;
const SCRAPE_AT = SCRAPE_SEEN_AT + 1;
const CELL_COUNT = SCRAPE_AT + 1;

/** Transactions of one kind and code, as counted so far. */
interface TransactionCount {
  readonly kind: number;
  readonly code: number;
  readonly count: number;
}

/** The counters of one lane; both threads make one over the same memory. */
export class LaneCounters {
  readonly #cells: Float64Array;

  /** Memory for one lane, all zero. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(CELL_COUNT * Float64Array.BYTES_PER_ELEMENT);
  }

  constructor(shared: SharedArrayBuffer) {
    assert(shared.byteLength === CELL_COUNT * 8, 'counters lie in memory from allocate()');
    this.#cells = new Float64Array(shared);
  }

  // --- the lane's side -------------------------------------------------------------------------

  /** Counts decided or refused transactions; an unknown kind is 0. */
  countTransaction(kind: number, code: number, count = 1): void {
    assert(kind < KIND_COUNT && code < CODE_COUNT, 'kinds and codes fit the matrix of counters');
    this.#cells[TRANSACTIONS_AT + kind * CODE_COUNT + code] += count;
  }

  /** Counts a refused request or connection. */
  countRefusal(reason: RefusalReason): void {
    this.#cells[REFUSALS_AT + REFUSAL_REASONS.indexOf(reason)] += 1;
  }

  /** Counts answers that left this long after their request came, once for each transaction. */
  observeAnswerMs(answerMs: number, transactionCount: number): void {
    let bucket = 0;
    while (bucket < ANSWER_BOUNDS_MS.length && answerMs > ANSWER_BOUNDS_MS[bucket]) bucket += 1;
    this.#cells[ANSWERS_AT + bucket] += transactionCount;
    this.#cells[ANSWER_SUM_AT] += answerMs * transactionCount;
  }

  /**
   * Counts one slice of work and keeps the longest, since the start and since the last scrape, and
   * the longest without its wait for a core.
   */
  observeSliceMs(sliceMs: number, waitMs: number, transactionCount: number): void {
    const cells = this.#cells;
    const runningMs = sliceMs - waitMs;
    if (runningMs > cells[SLICE_RUNNING_MAX_AT]) cells[SLICE_RUNNING_MAX_AT] = runningMs;
    cells[SLICE_COUNT_AT] += 1;
    cells[SLICE_SUM_AT] += sliceMs;
    cells[SLICE_TRANSACTIONS_AT] += transactionCount;
    if (sliceMs > cells[SLICE_MAX_AT]) cells[SLICE_MAX_AT] = sliceMs;
    const scrape = cells[SCRAPE_AT];
    if (scrape !== cells[SCRAPE_SEEN_AT]) {
      cells[SCRAPE_SLICE_MAX_AT] = sliceMs;
      cells[SCRAPE_SEEN_AT] = scrape;
    } else if (sliceMs > cells[SCRAPE_SLICE_MAX_AT]) cells[SCRAPE_SLICE_MAX_AT] = sliceMs;
  }

  /** Sets a gauge. */
  setGauge(gauge: LaneGauge, value: number): void {
    this.#cells[GAUGES_AT + gauge] = value;
  }

  /** Says that the lane is alive; 5 s without one stops the process (design law 7). */
  heartbeat(nowMs: number): void {
    this.setGauge(LaneGauge.heartbeatMs, nowMs);
  }

  // --- the main thread's side ------------------------------------------------------------------

  /** The gauge's newest value; 0 before the first. */
  readGauge(gauge: LaneGauge): number {
    return this.#cells[GAUGES_AT + gauge];
  }

  /** Every pair of kind and code that was counted. */
  readTransactions(): TransactionCount[] {
    const counts: TransactionCount[] = [];
    for (let kind = 0; kind < KIND_COUNT; kind += 1) {
      for (let code = 0; code < CODE_COUNT; code += 1) {
        const count = this.#cells[TRANSACTIONS_AT + kind * CODE_COUNT + code];
        if (count > 0) counts.push({ kind, code, count });
      }
    }
    return counts;
  }

  /** Refused requests and connections for this reason. */
  readRefusals(reason: RefusalReason): number {
    return this.#cells[REFUSALS_AT + REFUSAL_REASONS.indexOf(reason)];
  }

  /** Answers up to each of ANSWER_BOUNDS_MS (not cumulated), then those beyond; and their sum. */
  readAnswers(): { bucketCounts: number[]; sumMs: number } {
    const bucketCounts = Array.from(this.#cells.subarray(ANSWERS_AT, ANSWERS_BEYOND_AT + 1));
    return { bucketCounts, sumMs: this.#cells[ANSWER_SUM_AT] };
  }

  /** Slices so far, their whole time, their transactions, and the longest since the start. */
  readSlices(): {
    count: number;
    sumMs: number;
    transactionCount: number;
    maxMs: number;
    runningMaxMs: number;
  } {
    return {
      count: this.#cells[SLICE_COUNT_AT],
      sumMs: this.#cells[SLICE_SUM_AT],
      transactionCount: this.#cells[SLICE_TRANSACTIONS_AT],
      maxMs: this.#cells[SLICE_MAX_AT],
      runningMaxMs: this.#cells[SLICE_RUNNING_MAX_AT],
    };
  }

  /**
   * The longest slice since the last call, and starts anew. Main only asks: the lane clears its
   * own cell at its next slice, so that no cell has two writers. 0 when there was no slice.
   */
  takeSliceMaxMs(): number {
    const seen = this.#cells[SCRAPE_SEEN_AT] === this.#cells[SCRAPE_AT];
    const sliceMaxMs = seen ? this.#cells[SCRAPE_SLICE_MAX_AT] : 0;
    this.#cells[SCRAPE_AT] += 1;
    return sliceMaxMs;
  }
}
