// The result of a benchmark as one object (`--json`) and as a table, with the conditions it holds
// under: machine, commit, seed, durability, and what it leaves out.
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import type { Calibration } from './calibration.ts';
import type { LoadMeasurement, Opening } from './measurement.ts';
import type { BenchOptions } from './options.ts';
import { readFileSystem, readStolenShare } from './process-figures.ts';
import type { ReplayResult } from './replay-process.ts';

/** What was measured; parts that a workload does not have are null. */
export interface Measured {
  readonly options: BenchOptions;
  readonly folder: string;
  readonly opening: Opening;
  readonly load: LoadMeasurement | null;
  readonly replay: ReplayResult | null;
  readonly calibration: Calibration;
  readonly failures: readonly string[];
}

const LEFT_OUT: readonly string[] = [
  'networks between machines: load and server share this one over loopback, without TLS',
  'Postgres, checkpoints and sealing, which this version does not have',
];
const GIB = 1_073_741_824;

/** The object that `--json` prints. */
export function resultObject(measured: Measured): Record<string, unknown> {
  const { options, load, replay, opening, calibration } = measured;
  const figures = replay === null ? loadFigures(load, opening) : replayFigures(replay, load);
  return {
    workload: options.workload,
    ...figures,
    accounts: options.accounts,
    connections: options.connections,
    inFlight: options.inFlight,
    frameTransactions: options.frameTransactions,
    idBytes: options.idBytes,
    opening: {
      seconds: opening.seconds,
      transactionsPerSecond: opening.transactionsPerSecond,
      residentBytesPerAccount: opening.residentBytesPerAccount,
      fundedResidentBytesPerAccount: opening.fundedResidentBytesPerAccount,
      tableBytesPerAccount: opening.tableBytesPerAccount,
      longestSliceMs: opening.longestSliceMs,
      longestSliceRunningMs: opening.longestSliceRunningMs,
    },
    machine: describeMachine(),
    commit: describeCommit(),
    seed: options.seed,
    calibration,
    stolenShare: readStolenShare(),
    durability:
      "every answer after its block's LMDB commit (fdatasync) " +
      `on ${readFileSystem(measured.folder)}`,
    leftOut: LEFT_OUT,
    failures: measured.failures,
  };
}

function loadFigures(load: LoadMeasurement | null, opening: Opening): Record<string, unknown> {
  const runs = load === null ? opening.runs : [load.result];
  const last = runs[runs.length - 1];
  const transactions = runs.reduce((sum, run) => sum + run.transactions, 0);
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
  return {
    transactions,
    seconds,
    transactionsPerSecond: transactions / seconds,
    p50Ms: last.p50Ms,
    p99Ms: last.p99Ms,
    p999Ms: last.p999Ms,
    repeats: runs.reduce((sum, run) => sum + run.repeats, 0),
    refusals: runs.reduce((sum, run) => sum + run.refusals, 0),
    lanes: last.lanes,
    bytesPerTransaction: load === null ? null : load.logBytes / transactions,
    longestSliceMs: (load ?? opening).longestSliceMs,
    longestSliceRunningMs: (load ?? opening).longestSliceRunningMs,
    serverCpuSeconds: load?.serverCpuSeconds ?? null,
    loadGeneratorCpuSeconds: runs.reduce((sum, run) => sum + run.cpuSeconds, 0),
  };
}

function replayFigures(
  replay: ReplayResult,
  load: LoadMeasurement | null,
): Record<string, unknown> {
  return {
    transactions: replay.records,
    seconds: replay.seconds,
    transactionsPerSecond: replay.records / replay.seconds,
    recordsPerSecond: replay.records / replay.seconds,
    logBytes: replay.logBytes,
    replayCpuSeconds: replay.cpuSeconds,
    totals: replay.totals === '' ? 'zero' : replay.totals,
    lanes: load?.result.lanes ?? 1,
  };
}

/** The object's figures as lines for a person. */
export function resultTable(result: Readonly<Record<string, unknown>>): string {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(result)) addLines(lines, name, value);
  return lines.join('\n');
}

function addLines(lines: string[], name: string, value: unknown): void {
  if (Array.isArray(value)) {
    for (const element of value) addLines(lines, name, element);
  } else if (typeof value === 'object' && value !== null) {
    for (const [inner, each] of Object.entries(value)) addLines(lines, `${name}.${inner}`, each);
  } else {
    lines.push(`${name.padEnd(40)} ${formatValue(value)}`);
  }
}

function formatValue(value: unknown): string {
  if (typeof value !== 'number') return String(value ?? '–');
  if (Number.isInteger(value)) return value.toLocaleString('en');
  const digits = Math.abs(value) >= 1_000 ? 0 : 3;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}

function describeMachine(): string {
  const cpus = os.cpus();
  const model = cpus[0]?.model ?? 'unknown processor';
  const memory = Math.round(os.totalmem() / GIB);
  return (
    `${cpus.length} × ${model}, ${memory} GiB, ` +
    `${os.type()} ${os.release()}, Node ${process.version}`
  );
}

function describeCommit(): string {
  const git = (...gitArguments: string[]) =>
    execFileSync('git', gitArguments, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const hash = git('rev-parse', '--short=12', 'HEAD');
    return git('status', '--porcelain', '--untracked-files=no') === ''
      ? hash
      : `${hash} and changes`;
  } catch {
    return 'not a git checkout';
  }
}
