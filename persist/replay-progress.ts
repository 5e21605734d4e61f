// How far a replay has come, told in intervals to whoever shows it. Belongs to the thread that
// applies.
import type { LogEnd } from './log-chain.ts';

const PROGRESS_INTERVAL_MS = 100;

/** How far a replay has come. */
export interface ReplayProgress {
  /** Position of the last block that was applied. */
  readonly blockNumber: number;
  readonly blockCount: number;
  readonly recordCount: number;
  /** Bytes of content that were read. */
  readonly contentBytes: number;
  readonly timeMs: number;
}

/** Called about every 100 ms and at the end; may throw to give up. */
export type OnProgress = (progress: ReplayProgress) => void;

/** Blocks that were applied, the last one's number and time. */
export interface AppliedBlocks {
  readonly blockNumber: number;
  readonly timeMs: number;
  readonly blockCount: number;
  readonly recordCount: number;
  readonly contentBytes: number;
}

/** Adds up blocks. */
export class ProgressMeter {
  readonly #onProgress: OnProgress | undefined;
  #progress: ReplayProgress;
  #toldAtMs = performance.now();

  constructor(after: LogEnd, onProgress: OnProgress | undefined) {
    this.#onProgress = onProgress;
    this.#progress = {
      blockNumber: after.blockNumber,
      blockCount: 0,
      recordCount: 0,
      contentBytes: 0,
      timeMs: after.timeMs,
    };
  }

  /** Counts blocks that were applied, and tells if it is time to. */
  add(blocks: AppliedBlocks): void {
    const before = this.#progress;
    this.#progress = {
      blockNumber: blocks.blockNumber,
      blockCount: before.blockCount + blocks.blockCount,
      recordCount: before.recordCount + blocks.recordCount,
      contentBytes: before.contentBytes + blocks.contentBytes,
      timeMs: blocks.timeMs,
    };
    const nowMs = performance.now();
    if (nowMs - this.#toldAtMs < PROGRESS_INTERVAL_MS) return;
    this.#onProgress?.(this.#progress);
    this.#toldAtMs = performance.now();
  }

  /** Tells the last time. */
  finish(): void {
    this.#onProgress?.(this.#progress);
  }
}
