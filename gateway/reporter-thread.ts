// The entry of the reporter's thread: reports into the Postgres that main names, and starts anew
// when main names another one (an embedded one that was restarted). One for the process. It gives
// way to the lanes, and answers nobody: whatever Postgres does, bets go on. A log that does not
// read as it should stops the process (law 7).
import { parentPort, workerData } from 'node:worker_threads';
import type pg from 'pg';
import { InvariantError } from '../core/assert.ts';
import { ExitCode, type ExitCodeValue } from '../persist/exit-codes.ts';
import { stopProcess } from '../persist/fatal.ts';
import { DamagedLogError, UnknownVersionError } from '../persist/log-errors.ts';
import { tryLongSlices } from '../persist/long-slices.ts';
import { ReporterMemory } from '../persist/reporting/report-state.ts';
import { report } from '../persist/reporting/reporter.ts';
import { ReporterCounters } from '../persist/reporting/reporter-counters.ts';
import { waitForStop } from '../persist/stop-signal.ts';
import { setNiceness } from '../persist/thread-order.ts';
import { readWriterCounters } from '../persist/writer-counters.ts';

/** What main passes as workerData. */
export interface ReporterThreadData {
  readonly dataFolder: string;
  readonly journal: boolean;
  readonly journalDays: number;
  readonly snapshotIntervalMs: number;
  readonly segmentBytesMax: number;
  readonly counters: SharedArrayBuffer;
  /** The log writer's: they say what is durable. */
  readonly writerCounters: SharedArrayBuffer;
  readonly stop: SharedArrayBuffer;
}

/** From main to the reporter. */
export type ToReporter =
  | { readonly type: 'connect'; readonly connection: pg.ClientConfig }
  | { readonly type: 'stop' };

/** From the reporter to main: a line for the process's log. */
export interface FromReporter {
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** As the processes of an embedded Postgres: about a third of an equal thread's share. */
const NICENESS = 5;

const data: ReporterThreadData = workerData;
const counters = new ReporterCounters(data.counters);
const memory = new ReporterMemory();
let abort = new AbortController();
let running: Promise<void> = Promise.resolve();

function start(connection: pg.ClientConfig): void {
  const { signal } = abort;
  running = report({
    ...data,
    connection,
    durablePosition: () => readWriterCounters(data.writerCounters).durablePosition,
    durableTimeMs: () => readWriterCounters(data.writerCounters).durableTimeMs,
    ...{ counters, memory },
    log: (level, text, fields) => {
      const line: FromReporter = { level, text, fields };
      parentPort?.postMessage(line);
    },
    signal,
  }).catch((error: unknown) => fail(error));
}

async function end(): Promise<void> {
  abort.abort();
  await running;
  abort = new AbortController();
}

async function receive(message: ToReporter): Promise<void> {
  await end();
  if (message.type === 'connect') start(message.connection);
  else parentPort?.close();
}

function fail(error: unknown): void {
  const { dataFolder, stop } = data;
  stopProcess({ code: exitCodeOf(error), where: 'reporter', error, dataFolder, stop });
}

function exitCodeOf(error: unknown): ExitCodeValue {
  if (error instanceof DamagedLogError) return ExitCode.damagedLog;
  if (error instanceof UnknownVersionError) return ExitCode.version;
  return error instanceof InvariantError ? ExitCode.invariant : ExitCode.unexpected;
}

setNiceness(NICENESS);
tryLongSlices();
process.on('uncaughtException', fail);
// One after another: a stop that comes while a session ends has to find the one that follows it.
let received: Promise<void> = Promise.resolve();
parentPort?.on('message', (message: ToReporter) => {
  received = received.then(() => receive(message)).catch((error: unknown) => fail(error));
});
waitForStop(data.stop).then(
  async () => {
    await end();
    parentPort?.close();
  },
  (error: unknown) => fail(error),
);
