// Replay: the one way from the log to a state. Recovery, checkpoints, `verify` and tests share it.
// Runs in the thread that owns the target, synchronously, before that thread does anything else. A
// large log is read ahead by a thread of its own (replay-pipeline.ts), a small one here. Every
// block is checked by the log reader before the target sees it; a crash leaves nothing.
import { assert } from '../core/assert.ts';
import { chainSeedOf, logFolderOf, readIdentity } from './data-folder.ts';
import { emptyLogEnd, type LogBlock, type LogEnd } from './log-chain.ts';
import { refuseBlock } from './log-errors.ts';
import { type ReadOptions, readBlocks } from './log-reader.ts';
import { measureLogBytes } from './log-size.ts';
import { type BatchTarget, replayInPipeline } from './replay-pipeline.ts';
import { type OnProgress, ProgressMeter } from './replay-progress.ts';

/** What blocks are applied to: a Shard, or whatever follows the log. */
export interface ReplayTarget extends Partial<BatchTarget> {
  /** Throws an error named ReplayError when the content cannot be applied. Must not keep it. */
  applyBlock(content: Uint8Array, recordCount: number, firstSequence: number): void;
}

/** What is replayed, and how. */
export interface ReplayOptions {
  readonly dataFolder: string;
  /** A large log is read in a thread of its own only if the target takes batches. */
  readonly target: ReplayTarget;
  /** Only this shard's blocks are applied; all are checked. Default 0. */
  readonly shard?: number;
  /** State that the target already has; default none. */
  readonly after?: LogEnd;
  /** True in processes other than the server's. */
  readonly readOnly?: boolean;
  readonly onProgress?: OnProgress;
  /** From which size of the log on it is read in a thread of its own. */
  readonly readerThreadFromBytes?: number;
}

/**
 * Starting a thread takes some 140 ms, and its code has to be compiled while it runs. At this size
 * one thread and two were seen to take the same time, 0.8 s for 160,000 records.
 */
const READER_THREAD_FROM_BYTES = 16_777_216;

/** Applies the log to the target and returns its end, for the log writer to go on from. */
export function replayLog(options: ReplayOptions): LogEnd {
  const { dataFolder, target, shard = 0 } = options;
  const after = options.after ?? emptyLogEnd(chainSeedOf(readIdentity(dataFolder)));
  const logFolder = logFolderOf(dataFolder);
  const log = { logFolder, after, readOnly: options.readOnly === true };
  const progress = new ProgressMeter(after, options.onProgress);
  const readerThreadFromBytes = options.readerThreadFromBytes ?? READER_THREAD_FROM_BYTES;
  // The reader's thread knows no accounts but those that it saw being opened.
  const logBytes = measureLogBytes(logFolder);
  const isWorthIt = options.after === undefined && logBytes >= readerThreadFromBytes;
  const end =
    isWorthIt && takesBatches(target)
      ? replayInPipeline({ log, target, shard, progress, logBytes })
      : replayHere({ log, target, shard, progress });
  assert(end.blockNumber >= after.blockNumber, 'a log does not end before its start');
  progress.finish();
  return end;
}

function takesBatches(target: ReplayTarget): target is ReplayTarget & BatchTarget {
  const { applyRows, beginReplay, hashSeed } = target;
  return [applyRows, beginReplay, hashSeed].every((member) => member !== undefined);
}

function replayHere(options: {
  readonly log: ReadOptions;
  readonly target: ReplayTarget;
  readonly shard: number;
  readonly progress: ProgressMeter;
}): LogEnd {
  const { log, target, shard, progress } = options;
  const blocks = readBlocks(log);
  try {
    for (;;) {
      const next = blocks.next();
      if (next.done === true) return next.value;
      const { header } = next.value;
      if (header.shard === shard) applyBlock(target, next.value);
      const { blockNumber, timeMs, recordCount, contentBytes } = header;
      progress.add({ blockNumber, timeMs, blockCount: 1, recordCount, contentBytes });
    }
  } finally {
    // Closes the segment when the target or the progress callback threw.
    blocks.return(log.after);
  }
}

function applyBlock(target: ReplayTarget, { header, content, segment }: LogBlock): void {
  try {
    target.applyBlock(content, header.recordCount, header.firstSequence);
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== 'ReplayError') throw cause;
    throw refuseBlock({ segment, block: header.blockNumber }, cause);
  }
}
