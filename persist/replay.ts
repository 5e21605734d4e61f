// Replay: the one way from the log to a state. Recovery, checkpoints, `verify` and tests share it.
// Runs in the thread that owns the target, synchronously, before that thread does anything else.
// Every block is checked by the log reader before the target sees it; a crash leaves nothing.
import { assert } from '../core/assert.ts';
import { chainSeedOf, logFolderOf, readIdentity } from './data-folder.ts';
import { DamagedLogError } from './log-errors.ts';
import { emptyLogEnd, type LogBlock, type LogEnd, readBlocks } from './log-reader.ts';

/** What blocks are applied to: a Shard, or whatever follows the log. */
export interface ReplayTarget {
  /** Throws an error named ReplayError when the content cannot be applied. Must not keep it. */
  applyBlock(content: Uint8Array, recordCount: number, firstSequence: number): void;
}

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

/** What is replayed, and how. */
export interface ReplayOptions {
  readonly dataFolder: string;
  readonly target: ReplayTarget;
  /** Only this shard's blocks are applied; all are checked. Default 0. */
  readonly shard?: number;
  /** State that the target already has; default none. */
  readonly after?: LogEnd;
  /** True in processes other than the server's. */
  readonly readOnly?: boolean;
  /** Called about every 100 ms and at the end; may throw to give up. */
  readonly onProgress?: (progress: ReplayProgress) => void;
}

const PROGRESS_INTERVAL_MS = 100;

/** Applies the log to the target and returns its end, for the log writer to go on from. */
export function replayLog(options: ReplayOptions): LogEnd {
  const { dataFolder, target, shard = 0, onProgress } = options;
  const after = options.after ?? emptyLogEnd(chainSeedOf(readIdentity(dataFolder)));
  const blocks = readBlocks({
    logFolder: logFolderOf(dataFolder),
    after,
    readOnly: options.readOnly === true,
  });
  let progress = startProgress(after);
  let reportedAtMs = performance.now();
  try {
    for (;;) {
      const next = blocks.next();
      if (next.done === true) {
        assert(next.value.blockNumber >= after.blockNumber, 'a log does not end before its start');
        onProgress?.(progress);
        return next.value;
      }
      if (next.value.header.shard === shard) applyBlock(target, next.value);
      progress = addBlock(progress, next.value);
      if (onProgress !== undefined && performance.now() - reportedAtMs >= PROGRESS_INTERVAL_MS) {
        onProgress(progress);
        reportedAtMs = performance.now();
      }
    }
  } finally {
    // Closes the segment when the target or the progress callback threw.
    blocks.return(after);
  }
}

function applyBlock(target: ReplayTarget, block: LogBlock): void {
  const { header, content, segment } = block;
  try {
    target.applyBlock(content, header.recordCount, header.firstSequence);
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== 'ReplayError') throw cause;
    throw new DamagedLogError(
      {
        segment,
        block: header.blockNumber,
        expected: 'records that follow from those before',
        found: cause.message,
      },
      cause,
    );
  }
}

function startProgress(after: LogEnd): ReplayProgress {
  return {
    blockNumber: after.blockNumber,
    blockCount: 0,
    recordCount: 0,
    contentBytes: 0,
    timeMs: after.timeMs,
  };
}

function addBlock(progress: ReplayProgress, block: LogBlock): ReplayProgress {
  const { header } = block;
  return {
    blockNumber: header.blockNumber,
    blockCount: progress.blockCount + 1,
    recordCount: progress.recordCount + header.recordCount,
    contentBytes: progress.contentBytes + header.contentBytes,
    timeMs: header.timeMs,
  };
}
