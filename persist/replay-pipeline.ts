// Replay in two threads: a reader's thread reads, checks, decodes and hashes the log ahead, this
// one only applies. Both take about as long (0.2 to 0.35 µs a record), so it takes half the time on
// two cores. Called synchronously by the thread that owns the target;
// when it returns or throws, the reader holds nothing of the log open and its thread is ending,
// but for one that was silent and had to be terminated.
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import { assert } from '../core/assert.ts';
import type { ReplayBatch } from '../core/decisions/replay-batch.ts';
import type { BatchRows } from '../core/decisions/replay-records.ts';
import type { LogEnd } from './log-chain.ts';
import { refuseBlock } from './log-errors.ts';
import type { ReadOptions } from './log-reader.ts';
import { unpackFailure } from './replay-failure.ts';
import {
  AppliedSlots,
  allocateReplayPort,
  type ReplaySlot,
  SilentReaderError,
} from './replay-port.ts';
import type { ProgressMeter } from './replay-progress.ts';
import type { ReaderResult, ReplayReaderData } from './replay-reader-thread.ts';
import { segmentName } from './segment-list.ts';

/** What decoded batches are applied to: a Shard. */
export interface BatchTarget {
  /** Seed of the hashes in the batches. */
  readonly hashSeed: Uint8Array;
  /** Called before the first batch of a log of about so many bytes. */
  beginReplay(logBytes: number): void;
  /** Throws an error named ReplayError when the rows cannot be applied. */
  applyRows(batch: ReplayBatch, rows: BatchRows): void;
}

/** What is replayed, and how. */
export interface PipelineOptions {
  readonly log: ReadOptions;
  readonly target: BatchTarget;
  readonly shard: number;
  readonly progress: ProgressMeter;
  /** About; what the target makes room for. */
  readonly logBytes: number;
  /** Where the port's counts start; tests cross the wrap. */
  readonly startCount?: number;
}

/** Applies the log to a target that has no state yet; returns the log's end. */
export function replayInPipeline(options: PipelineOptions): LogEnd {
  const { logBytes, target, progress } = options;
  target.beginReplay(logBytes);
  const reader = new ReplayReader(options);
  try {
    for (;;) {
      const slot = reader.slots.waitForSlot();
      if (slot === null) return reader.takeEnd();
      applySlot(target, slot, progress);
      reader.slots.release();
    }
  } catch (error) {
    endReader(reader, error instanceof SilentReaderError);
    throw error;
  } finally {
    reader.close();
  }
}

/** Waits until the reader has closed the log; one that is silent is ended instead. */
function endReader(reader: ReplayReader, isSilent: boolean): void {
  try {
    if (!isSilent) {
      reader.slots.abandon();
      return;
    }
  } catch (error) {
    // The reason to end it is the one to tell, not that it is silent too.
    if (!(error instanceof SilentReaderError)) throw error;
  }
  reader.terminate();
}

function applySlot(target: BatchTarget, slot: ReplaySlot, progress: ProgressMeter): void {
  const { batch, spans } = slot;
  const batchUntil = spans.rowCount;
  for (let span = 0; span < spans.count; span += 1) {
    const from = spans.rowFrom[span];
    const until = spans.rowUntil[span];
    const blockNumber = spans.blockNumber[span];
    const firstSequence = spans.firstSequence[span];
    try {
      if (from < until) target.applyRows(batch, { from, until, firstSequence, batchUntil });
    } catch (cause) {
      if (!(cause instanceof Error) || cause.name !== 'ReplayError') throw cause;
      const segment = segmentName(spans.segmentFirstBlock[span]);
      throw refuseBlock({ segment, block: blockNumber }, cause);
    }
    const blockCount = spans.blockCount[span];
    if (blockCount === 0) continue;
    progress.add({
      blockNumber,
      timeMs: spans.timeMs[span],
      blockCount,
      recordCount: spans.recordCount[span],
      contentBytes: spans.contentBytes[span],
    });
  }
}

/** This thread's handle on the reader's thread. */
export class ReplayReader {
  readonly slots: AppliedSlots;
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #results: MessagePort;

  /** Starts the thread. It reads at most as far ahead as the port's slots go. */
  constructor(
    options: Omit<PipelineOptions, 'target' | 'progress' | 'logBytes'> & { target: HasSeed },
  ) {
    const { log, shard, target, startCount = 0 } = options;
    const { port1, port2 } = new MessageChannel();
    const port = allocateReplayPort(startCount);
    const { hashSeed } = target;
    const workerData: ReplayReaderData = { log, shard, hashSeed, port, results: port2 };
    const entry = new URL('./replay-reader-thread.ts', import.meta.url);
    this.slots = new AppliedSlots(port);
    this.#results = port1;
    this.#worker = new Worker(entry, { workerData, transferList: [port2] });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#worker.once('exit', () => resolve());
    // The thread ends by itself; a process that ends before takes it along.
    this.#worker.unref();
  }

  /** The log's end, or throws what ended the reading; behind the last slot. */
  takeEnd(): LogEnd {
    const received = receiveMessageOnPort(this.#results);
    assert(received !== undefined, 'a reader that has finished told why');
    const result: ReaderResult = received.message;
    if (result.type === 'failure') throw unpackFailure(result.failure);
    assert(result.end !== null, 'a reader reads to the end unless it is told not to');
    return result.end;
  }

  /** Ends a thread that does not answer. */
  terminate(): void {
    void this.#worker.terminate();
  }

  /** Lets go of what this side holds. */
  close(): void {
    this.#results.close();
  }
}

interface HasSeed {
  readonly hashSeed: Uint8Array;
}
