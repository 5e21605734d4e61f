// The steps of a measurement over a running server: open and fund the accounts, then the load, with
// the server's CPU time, memory and log taken at both ends. Judges nothing; findFailures does.
import { join } from 'node:path';
import { generateLoad } from './generator.ts';
import type { LoadResult, LoadSettings } from './load/load-run.ts';
import type { BenchOptions } from './options.ts';
import { readCpuSeconds, readFolderBytes, readResidentBytes } from './process-figures.ts';
import type { ServerProcess } from './server-process.ts';

/** What opening and funding the accounts took. */
export interface Opening {
  readonly seconds: number;
  readonly transactionsPerSecond: number;
  /** Growth of anonymous and shared resident memory, of the server and an account. */
  readonly residentBytesPerAccount: number;
  /** The same after each account's deposit, which adds its key to the index. */
  readonly fundedResidentBytesPerAccount: number;
  /** The tables' own account of their memory after opening, by account. */
  readonly tableBytesPerAccount: number;
  /** Longest slice of the lane while accounts were opened and funded, since start. */
  readonly longestSliceMs: number;
  /** The same without the time that its thread waited for a core. */
  readonly longestSliceRunningMs: number;
  readonly runs: readonly LoadResult[];
}

/** A load's result beside what it took of the server. */
export interface LoadMeasurement {
  readonly result: LoadResult;
  readonly serverCpuSeconds: number;
  readonly logBytes: number;
  readonly longestSliceMs: number;
  readonly longestSliceRunningMs: number;
}

/** Tells how far a step is; total is transactions or seconds. */
export type ReportProgress = (step: string, done: number, total: number) => void;

const CURRENCY = 'EUR';
/** Enough for every workload but those that say more. */
const RUN_COUNT = 8;
const MS_PER_SECOND = 1_000;

/** Opens each account, then deposits to it. */
export async function openAccounts(
  server: ServerProcess,
  options: BenchOptions,
  report: ReportProgress,
): Promise<Opening> {
  const { accounts } = options;
  const settings = loadSettings(server, options);
  const before = readResidentBytes(server.processId);
  const tableBytesBefore = await server.readMetric('kassa_table_bytes');
  const runs: LoadResult[] = [];
  const resident: number[] = [];
  let tableBytes = 0;
  for (const workload of ['open', 'deposit'] as const) {
    const frameTransactions = Math.min(1_000, Math.ceil(accounts / options.connections));
    const run = await generateLoad(
      {
        ...settings,
        workload,
        frameTransactions,
        connectionCount: Math.min(4, options.connections),
        framesInFlight: 4,
        ratePerSecond: null,
        warmUpSeconds: 0,
        seconds: 0,
      },
      { onProgress: (transactions) => report(workload, transactions, accounts) },
    );
    report(workload, accounts, accounts);
    runs.push(run);
    resident.push((readResidentBytes(server.processId) - before) / accounts);
    if (workload === 'open') tableBytes = await server.readMetric('kassa_table_bytes');
  }
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
  return {
    seconds,
    transactionsPerSecond: (2 * accounts) / seconds,
    residentBytesPerAccount: resident[0],
    fundedResidentBytesPerAccount: resident[1],
    tableBytesPerAccount: (tableBytes - tableBytesBefore) / accounts,
    ...(await readLongestSlices(server)),
    runs,
  };
}

/** Puts the canonical load on a server whose accounts are open and funded. */
export async function measureLoad(
  server: ServerProcess,
  options: BenchOptions,
  report: ReportProgress,
): Promise<LoadMeasurement> {
  const logFolder = join(server.dataFolder, 'log');
  const take = () => ({
    cpuSeconds: readCpuSeconds(server.processId),
    logBytes: readFolderBytes(logFolder),
  });
  const startMs = performance.now();
  const total = options.warmUpSeconds + options.seconds;
  let opened = take();
  let closed = opened;
  const result = await generateLoad(loadSettings(server, options), {
    onProgress: () => {
      report(
        options.workload,
        Math.min(total, (performance.now() - startMs) / MS_PER_SECOND),
        total,
      );
    },
    onWindowOpened: () => {
      opened = take();
    },
    onWindowClosed: () => {
      closed = take();
    },
  });
  return {
    result,
    serverCpuSeconds: closed.cpuSeconds - opened.cpuSeconds,
    logBytes: closed.logBytes - opened.logBytes,
    ...(await readLongestSlices(server)),
  };
}

/** What was wrong with a run's answers; empty if nothing. A run with failures is no measurement. */
export function findFailures(run: LoadResult): string[] {
  const failures: string[] = [];
  const codes = JSON.stringify(run.codeCounts);
  if (run.repeats > 0) failures.push(`${run.repeats} repeats, though every key was new`);
  if (run.refusals * 100 >= run.runTransactions) {
    failures.push(`${run.refusals} refusals, 1 % or more of ${run.runTransactions}: ${codes}`);
  }
  if (run.sequencesAreWhole === false) {
    failures.push('the sequences of the outcomes have gaps or doubles');
  }
  if (run.transactions === 0) failures.push('no transaction was answered in the window');
  return failures;
}

async function readLongestSlices(
  server: ServerProcess,
): Promise<{ longestSliceMs: number; longestSliceRunningMs: number }> {
  const readMs = async (name: string): Promise<number> =>
    (await server.readMetric(name, 'since="start"')) * MS_PER_SECOND;
  return {
    longestSliceMs: await readMs('kassa_slice_seconds_max'),
    longestSliceRunningMs: await readMs('kassa_slice_running_seconds_max'),
  };
}

/** The canonical load of these options on this server: the first one on its accounts. */
export function loadSettings(server: ServerProcess, options: BenchOptions): LoadSettings {
  const { connections, frameTransactions, inFlight } = options;
  return {
    workload: 'canonical',
    host: '127.0.0.1',
    port: server.port,
    key: server.readKey(),
    currency: CURRENCY,
    connectionCount: connections,
    framesInFlight: Math.max(1, Math.floor(inFlight / connections / frameTransactions)),
    frameTransactions,
    accountCount: options.accounts,
    idBytes: options.idBytes,
    seed: options.seed,
    run: 0,
    runCount: RUN_COUNT,
    ratePerSecond: options.ratePerSecond,
    warmUpSeconds: options.warmUpSeconds,
    seconds: options.seconds,
  };
}
