// What the log writer counts, in shared memory: the log writer's thread adds, any thread reads.
// Each number is one 64-bit word and may be read while others move on, so sums can differ from
// counts by the commit of the moment. Nothing here survives the process.
import { assert } from '../core/assert.ts';

/** Upper bounds in ms of the commit time's buckets: fast local disks to a disk in trouble. */
export const COMMIT_MS_BOUNDS: readonly number[] = [
  0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 25, 50, 100, 250, 1_000, 5_000,
];

/** Upper bounds of a block's record count. */
export const BLOCK_RECORDS_BOUNDS: readonly number[] = [
  1, 4, 16, 64, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384,
];

const COMMITS = 0;
const COMMIT_MS_SUM = 1;
const COMMIT_MS_MAX = 2;
const BLOCKS = 3;
const RECORDS = 4;
const CONTENT_BYTES = 5;
const POSITION = 6;
const POSITION_TIME = 7;
const LOG_BYTES = 8;
const SEGMENTS_MADE = 9;
const HEARTBEAT = 10;
const COMMIT_BUCKETS = 16;
const BLOCK_BUCKETS = COMMIT_BUCKETS + COMMIT_MS_BOUNDS.length + 1;
const WORDS = BLOCK_BUCKETS + BLOCK_RECORDS_BOUNDS.length + 1;

/** The counters at one moment. Bucket counts are not cumulative; the last is above all bounds. */
export interface WriterMeasures {
  readonly commits: number;
  readonly commitMsSum: number;
  readonly commitMsMax: number;
  readonly commitMsBuckets: readonly number[];
  readonly blocks: number;
  readonly records: number;
  readonly contentBytes: number;
  readonly blockRecordsBuckets: readonly number[];
  /** Number of the last durable block in the one order, and its time. */
  readonly durablePosition: number;
  readonly durableTimeMs: number;
  /** Bytes of the segments' files; exact at each rotation and at start, estimated between. */
  readonly logBytes: number;
  readonly segmentsMade: number;
  /** When the log writer last looked for work, ms since 1970. */
  readonly heartbeatMs: number;
}

/** One commit, as it is counted. */
export interface CommitMeasure {
  readonly milliseconds: number;
  readonly position: number;
  readonly timeMs: number;
  readonly logBytes: number;
}

/** Memory for the counters of one log writer. */
export function allocateWriterCounters(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * Float64Array.BYTES_PER_ELEMENT);
}

/** The log writer's side. */
export class WriterCounters {
  readonly #words: Float64Array;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Float64Array(shared);
    assert(this.#words.length === WORDS, 'counters have their size');
  }

  /** Where the log ends at start. */
  setStart(start: { position: number; timeMs: number; logBytes: number }): void {
    this.#words[POSITION_TIME] = start.timeMs;
    this.#words[POSITION] = start.position;
    this.#words[LOG_BYTES] = start.logBytes;
  }

  countBlock(recordCount: number, contentBytes: number): void {
    this.#add(BLOCKS, 1);
    this.#add(RECORDS, recordCount);
    this.#add(CONTENT_BYTES, contentBytes);
    this.#add(BLOCK_BUCKETS + bucketOf(BLOCK_RECORDS_BOUNDS, recordCount), 1);
  }

  countCommit(commit: CommitMeasure): void {
    assert(commit.position > (this.#words[POSITION] ?? 0), 'each commit moves the position on');
    this.#add(COMMITS, 1);
    this.#add(COMMIT_MS_SUM, commit.milliseconds);
    this.#add(COMMIT_BUCKETS + bucketOf(COMMIT_MS_BOUNDS, commit.milliseconds), 1);
    this.#words[COMMIT_MS_MAX] = Math.max(this.#words[COMMIT_MS_MAX] ?? 0, commit.milliseconds);
    this.#words[POSITION_TIME] = commit.timeMs;
    this.#words[POSITION] = commit.position;
    this.#words[LOG_BYTES] = commit.logBytes;
  }

  countSegment(): void {
    this.#add(SEGMENTS_MADE, 1);
  }

  beat(nowMs: number): void {
    this.#words[HEARTBEAT] = nowMs;
  }

  #add(word: number, amount: number): void {
    this.#words[word] = (this.#words[word] ?? 0) + amount;
  }
}

/** Reads the counters; any thread. */
export function readWriterCounters(shared: SharedArrayBuffer): WriterMeasures {
  const words = new Float64Array(shared);
  assert(words.length === WORDS, 'counters have their size');
  const word = (index: number): number => words[index] ?? 0;
  return {
    commits: word(COMMITS),
    commitMsSum: word(COMMIT_MS_SUM),
    commitMsMax: word(COMMIT_MS_MAX),
    commitMsBuckets: Array.from(words.subarray(COMMIT_BUCKETS, BLOCK_BUCKETS)),
    blocks: word(BLOCKS),
    records: word(RECORDS),
    contentBytes: word(CONTENT_BYTES),
    blockRecordsBuckets: Array.from(words.subarray(BLOCK_BUCKETS, WORDS)),
    durablePosition: word(POSITION),
    durableTimeMs: word(POSITION_TIME),
    logBytes: word(LOG_BYTES),
    segmentsMade: word(SEGMENTS_MADE),
    heartbeatMs: word(HEARTBEAT),
  };
}

function bucketOf(bounds: readonly number[], value: number): number {
  const index = bounds.findIndex((bound) => value <= bound);
  return index < 0 ? bounds.length : index;
}
