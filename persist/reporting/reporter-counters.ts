// What the reporter counts, in shared memory: its thread writes, any thread reads. Each number is
// one 64-bit word and may be read while others move on. Nothing here survives the process.
import { assert } from '../../core/assert.ts';

const UP = 0;
const POSITION = 1;
const RECORD_COUNT = 2;
const CONTENT_BYTES = 3;
const OLDEST_PENDING_MS = 4;
const RECORDS_COMMITTED = 5;
const SNAPSHOTS = 6;
const COMMIT_MS_SUM = 7;
const COMMIT_MS_MAX = 8;
const CONNECTIONS = 9;
const REJECTED_ROWS = 10;
const TIME_MS = 11;
const JOURNAL_ROWS = 12;
const WORDS = 16;

/** The counters at one moment. */
export interface ReporterMeasures {
  /** Whether it is connected and has loaded its state. */
  readonly isUp: boolean;
  /** The block up to which everything is committed in Postgres, and its time. */
  readonly position: number;
  readonly timeMs: number;
  /** Records and bytes of content up to there, since the log's beginning. */
  readonly recordCount: number;
  readonly contentBytes: number;
  /** Time of the oldest block read and not committed; 0 while there is none. */
  readonly oldestPendingMs: number;
  /** By this process. */
  readonly recordsCommitted: number;
  readonly journalRows: number;
  readonly snapshots: number;
  readonly commitMsSum: number;
  readonly commitMsMax: number;
  /** Times that it connected: the first one is no reconnection. */
  readonly connections: number;
  readonly rejectedRows: number;
}

/** One committed snapshot, as it is counted. */
export interface SnapshotMeasure {
  readonly position: number;
  readonly timeMs: number;
  readonly recordCount: number;
  readonly contentBytes: number;
  readonly newRecords: number;
  readonly journalRows: number;
  readonly rejectedRows: number;
  readonly milliseconds: number;
}

/** Memory for the counters of one reporter. */
export function allocateReporterCounters(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * Float64Array.BYTES_PER_ELEMENT);
}

/** The reporter's side. */
export class ReporterCounters {
  readonly #words: Float64Array;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Float64Array(shared);
    assert(this.#words.length === WORDS, 'counters have their size');
  }

  /** The reporter is connected and knows where Postgres is. */
  setUp(at: Pick<SnapshotMeasure, 'position' | 'timeMs' | 'recordCount' | 'contentBytes'>): void {
    this.#setPosition(at);
    this.#words[UP] = 1;
    this.#words[CONNECTIONS] += 1;
  }

  setDown(): void {
    this.#words[UP] = 0;
  }

  /** Time of the oldest block that is read and not committed, 0 for none. */
  setOldestPending(timeMs: number): void {
    this.#words[OLDEST_PENDING_MS] = timeMs;
  }

  countSnapshot(snapshot: SnapshotMeasure): void {
    const words = this.#words;
    this.#setPosition(snapshot);
    words[RECORDS_COMMITTED] += snapshot.newRecords;
    words[JOURNAL_ROWS] += snapshot.journalRows;
    words[REJECTED_ROWS] += snapshot.rejectedRows;
    words[SNAPSHOTS] += 1;
    words[COMMIT_MS_SUM] += snapshot.milliseconds;
    words[COMMIT_MS_MAX] = Math.max(words[COMMIT_MS_MAX], snapshot.milliseconds);
  }

  #setPosition(
    at: Pick<SnapshotMeasure, 'position' | 'timeMs' | 'recordCount' | 'contentBytes'>,
  ): void {
    this.#words[POSITION] = at.position;
    this.#words[TIME_MS] = at.timeMs;
    this.#words[RECORD_COUNT] = at.recordCount;
    this.#words[CONTENT_BYTES] = at.contentBytes;
  }
}

/** Reads the counters; any thread. */
export function readReporterCounters(shared: SharedArrayBuffer): ReporterMeasures {
  const words = new Float64Array(shared);
  assert(words.length === WORDS, 'counters have their size');
  return {
    isUp: words[UP] === 1,
    position: words[POSITION],
    timeMs: words[TIME_MS],
    recordCount: words[RECORD_COUNT],
    contentBytes: words[CONTENT_BYTES],
    oldestPendingMs: words[OLDEST_PENDING_MS],
    recordsCommitted: words[RECORDS_COMMITTED],
    journalRows: words[JOURNAL_ROWS],
    snapshots: words[SNAPSHOTS],
    commitMsSum: words[COMMIT_MS_SUM],
    commitMsMax: words[COMMIT_MS_MAX],
    connections: words[CONNECTIONS],
    rejectedRows: words[REJECTED_ROWS],
  };
}
