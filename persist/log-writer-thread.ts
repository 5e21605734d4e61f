// Entry of the log writer's thread: one for the process, started after recovery. It waits for
// blocks, has them committed, and ends when every lane has closed its port, with all of it on disk.
// A failure stops the process (design law 7): the thread tells why, raises the stop signal and then
// stands still, holding LMDB untouched, because cleaning up after a failed commit was seen to
// corrupt the heap.
import { workerData } from 'node:worker_threads';
import { assert, InvariantError } from '../core/assert.ts';
import { WriterBlocks } from './commit-port.ts';
import { logFolderOf } from './data-folder.ts';
import { ExitCode, type ExitCodeValue } from './exit-codes.ts';
import { stopProcess } from './fatal.ts';
import type { LogEnd } from './log-chain.ts';
import { CommitFailedError, LogWriter } from './log-writer.ts';
import { isStopping } from './stop-signal.ts';
import { tryGoFirst } from './thread-order.ts';
import { WriterCounters } from './writer-counters.ts';

/** What the starter passes as workerData. */
export interface LogWriterThreadData {
  readonly dataFolder: string;
  readonly segmentBytesMax: number;
  /** By lane; every lane rings the bell of the first. */
  readonly ports: readonly SharedArrayBuffer[];
  readonly resume: LogEnd;
  readonly stop: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
}

function run(data: LogWriterThreadData): void {
  const ports = data.ports.map((shared) => new WriterBlocks(shared));
  const [bell] = ports;
  assert(bell !== undefined, 'a log writer has a lane');
  const counters = new WriterCounters(data.counters);
  const logFolder = logFolderOf(data.dataFolder);
  const { segmentBytesMax, resume } = data;
  const writer = new LogWriter({ logFolder, segmentBytesMax, ports, resume, counters });
  for (;;) {
    if (isStopping(data.stop)) standStill();
    counters.beat(Date.now());
    const epoch = bell.bellEpoch;
    if (writer.commitReady() > 0) continue;
    if (ports.every((port) => port.isDone)) break;
    bell.waitForBell(epoch);
  }
  writer.close();
}

function codeOf(error: unknown): ExitCodeValue {
  if (error instanceof CommitFailedError) return ExitCode.commitFailed;
  if (error instanceof InvariantError) return ExitCode.invariant;
  return ExitCode.unexpected;
}

/** Holds the thread as it is until the process ends. */
function standStill(): never {
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

const data: LogWriterThreadData = workerData;
// Every answer waits for it, and it needs little of a core: at 3,000/s beside a busy Postgres
// single commits waited 15 ms for one without this.
tryGoFirst();
try {
  run(data);
} catch (error) {
  const { dataFolder, stop } = data;
  stopProcess({ code: codeOf(error), where: 'log writer', error, dataFolder, stop });
  standStill();
}
