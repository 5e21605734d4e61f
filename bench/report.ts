// The result of a benchmark as one object (`--json`) and as a table.
import type { Calibration } from './calibration.ts';
import { conditionsOf } from './conditions.ts';
import type { LoadMeasurement, Opening } from './measurement.ts';
import type { BenchOptions } from './options.ts';
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
  'reporting into Postgres, which is switched off: --workload report measures it',
  'checkpoints and sealing, which this version does not have',
];
const NAME_COLUMNS = 40;
const ASKED_COLUMN = 56;

/** The object that `--json` prints. */
export function resultObject(measured: Measured): Record<string, unknown> {
  const { options, load, replay, opening } = measured;
  const figures = replay === null ? loadFigures(load, opening) : replayFigures(replay, load);
  return {
    workload: options.workload,
    ...(options.ratePerSecond === null ? {} : { ratePerSecond: options.ratePerSecond }),
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
    ...conditionsOf({ ...measured, seed: options.seed, leftOut: LEFT_OUT }),
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

/** The object's figures as lines for a person; what is asked of a figure stands beside it. */
export function resultTable(
  result: Readonly<Record<string, unknown>>,
  asked: Readonly<Record<string, string>>,
): string {
  return linesOf('', result)
    .map(([name, text]) => {
      const line = `${name.padEnd(NAME_COLUMNS)} ${text}`;
      return name in asked ? `${line.padEnd(ASKED_COLUMN)} asked: ${asked[name]}` : line;
    })
    .join('\n');
}

/** Names and values as texts; an object's names stand before those of its members. */
function linesOf(name: string, value: unknown): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((element) => linesOf(name, element));
  if (typeof value !== 'object' || value === null) return [[name, formatValue(value)]];
  return Object.entries(value).flatMap(([inner, each]) =>
    linesOf(name === '' ? inner : `${name}.${inner}`, each),
  );
}

function formatValue(value: unknown): string {
  if (typeof value !== 'number') return String(value ?? '–');
  if (Number.isInteger(value)) return value.toLocaleString('en');
  const digits = Math.abs(value) >= 1_000 ? 0 : 3;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}
