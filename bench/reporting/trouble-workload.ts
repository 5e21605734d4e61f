// `--workload trouble`: what a bet notices when Postgres is in trouble. Each trouble in rounds of a
// load without it and a load with it, so that what the machine does meanwhile falls on both; after
// each load Postgres gets the time to have everything. At the end it is compared with the log.
import { reconcile } from '../../persist/reconciliation/reconcile.ts';
import { conditionsOf } from '../conditions.ts';
import type { LoadResult } from '../load/load-run.ts';
import { findFailures, openAccounts, type ReportProgress } from '../measurement.ts';
import type { BenchOptions } from '../options.ts';
import { ServerProcess, type ServerSettings } from '../server-process.ts';
import { frameTransactionsOf, generatePacedLoad, LAG_ZERO_TIMEOUT_MS } from './paced-load.ts';
import { followToEnd, waitForLagZero } from './reporter-sample.ts';
import type { ReportingMeasured } from './reporting-result.ts';
import { connectTo, TROUBLES, type Trouble } from './troubles.ts';

/** One trouble's rounds. */
export interface TroubleMeasurement {
  readonly name: string;
  readonly without: readonly LoadResult[];
  readonly during: readonly LoadResult[];
  /** From the end of a trouble and its load to a lag of 0; null when it took too long. */
  readonly secondsUntilLagZero: readonly (number | null)[];
}

/** All of them, and what Postgres had at the end. */
export interface TroublesMeasurement {
  readonly troubles: readonly TroubleMeasurement[];
  readonly reconciledRecords: number;
  readonly differences: number;
  readonly runs: readonly LoadResult[];
}

const WITH_JOURNAL: ServerSettings = { KASSA_REPORTING: 'on', KASSA_REPORTING_JOURNAL: 'on' };
const LEFT_OUT: readonly string[] = ['checkpoints and sealing, which this version does not have'];
const LIMIT_PERCENT = 20;

/** The bound of every trouble's figure; shown, not enforced. */
export const TROUBLE_ASKED: Readonly<Record<string, string>> = Object.fromEntries(
  TROUBLES.map(({ name }) => [`${name}P99ChangePercent`, `${LIMIT_PERCENT} at most`]),
);

/** Measures everything in a folder; rejects where a step cannot be done at all. */
export async function measureTroubles(
  folder: string,
  options: BenchOptions,
  report: ReportProgress,
): Promise<TroublesMeasurement> {
  const server = await ServerProcess.start(`${folder}/data`, WITH_JOURNAL);
  const { runs } = await openAccounts(server, options, report);
  await followToEnd(server, () => undefined);
  const rounds = new Rounds(server, options, report);
  const troubles: TroubleMeasurement[] = [];
  for (const trouble of TROUBLES) {
    if (options.troubles.includes(trouble.name)) troubles.push(await rounds.measure(trouble));
  }
  const client = await connectTo(server.dataFolder);
  const { recordCount, differenceCount } = await reconcile({
    ...{ client, dataFolder: server.dataFolder, keptPerSortMax: 1 },
  });
  await client.end();
  await server.stop();
  return {
    ...{ troubles, reconciledRecords: recordCount, differences: differenceCount },
    runs: [...runs, ...rounds.runs],
  };
}

class Rounds {
  readonly runs: LoadResult[] = [];
  readonly #server: ServerProcess;
  readonly #options: BenchOptions;
  readonly #report: ReportProgress;

  constructor(server: ServerProcess, options: BenchOptions, report: ReportProgress) {
    this.#server = server;
    this.#options = options;
    this.#report = report;
  }

  async measure(trouble: Trouble): Promise<TroubleMeasurement> {
    const { rounds } = this.#options;
    const without: LoadResult[] = [];
    const during: LoadResult[] = [];
    const secondsUntilLagZero: (number | null)[] = [];
    for (let round = 0; round < rounds; round += 1) {
      this.#report(trouble.name, round, rounds);
      without.push(await this.#load(trouble.name));
      await this.#waitForLagZero();
      during.push(await this.#loadDuring(trouble));
      secondsUntilLagZero.push(await this.#waitForLagZero());
    }
    this.#report(trouble.name, rounds, rounds);
    return { name: trouble.name, without, during, secondsUntilLagZero };
  }

  /** The trouble begins with the measured window and ends with the load. */
  async #loadDuring(trouble: Trouble): Promise<LoadResult> {
    const { dataFolder } = this.#server;
    let begun: Promise<() => Promise<void>> | undefined;
    try {
      return await this.#load(trouble.name, (isOpen) => {
        if (isOpen) begun = trouble.begin(dataFolder);
        // Awaited below; until then a failure is no one's.
        begun?.catch(() => undefined);
      });
    } finally {
      const end = await begun;
      await end?.();
    }
  }

  async #load(name: string, onWindow?: (isOpen: boolean) => void): Promise<LoadResult> {
    const { ratePerSecond, warmUpSeconds, seconds } = this.#options;
    const result = await generatePacedLoad(
      {
        ...{ server: this.#server, options: this.#options, name: `${name}, one load` },
        ...{ ratePerSecond, warmUpSeconds, seconds },
        ...{ run: this.runs.length, runCount: 2 * TROUBLES.length * this.#options.rounds },
        report: this.#report,
      },
      onWindow,
    );
    this.runs.push(result);
    return result;
  }

  async #waitForLagZero(): Promise<number | null> {
    const startMs = performance.now();
    const sample = await waitForLagZero(this.#server, LAG_ZERO_TIMEOUT_MS);
    return sample === null ? null : (sample.atMs - startMs) / 1_000;
  }
}

/** The object that `--json` prints. */
export function troublesObject(
  measured: Omit<ReportingMeasured, 'measurement'> & { readonly measurement: TroublesMeasurement },
): Record<string, unknown> {
  const { options, measurement } = measured;
  return {
    workload: options.workload,
    ratePerSecond: options.ratePerSecond,
    rounds: options.rounds,
    seconds: options.seconds,
    ...Object.assign({}, ...measurement.troubles.map(troubleFigures)),
    reconciledRecords: measurement.reconciledRecords,
    differences: measurement.differences,
    accounts: options.accounts,
    connections: options.connections,
    frameTransactions: frameTransactionsOf(options, options.ratePerSecond),
    idBytes: options.idBytes,
    ...conditionsOf({ ...measured, seed: options.seed, leftOut: LEFT_OUT }),
  };
}

/** Medians of the rounds, and the longest wait for a lag of 0. */
function troubleFigures(trouble: TroubleMeasurement): Record<string, unknown> {
  const { name, without, during, secondsUntilLagZero } = trouble;
  const [withoutMs, duringMs] = [without, during].map((runs) => medianOf(runs.map(p99Of)));
  return {
    [`${name}P99MsWithout`]: withoutMs,
    [`${name}P99Ms`]: duringMs,
    [`${name}P99ChangePercent`]: (duringMs / withoutMs - 1) * 100,
    [`${name}SecondsUntilLagZeroMax`]: Math.max(...secondsUntilLagZero.map((each) => each ?? 0)),
  };
}

/** What makes it no measurement; empty if nothing. */
export function findTroubleFailures(measurement: TroublesMeasurement): string[] {
  const { troubles, differences, runs } = measurement;
  const failures = runs.flatMap(findFailures);
  for (const run of runs) {
    if (run.refusals > 0) failures.push(`${run.refusals} bets or wins were refused`);
  }
  for (const { name, secondsUntilLagZero } of troubles) {
    if (!secondsUntilLagZero.includes(null)) continue;
    failures.push(`${name}: the lag was not 0 again ${LAG_ZERO_TIMEOUT_MS} ms after the load`);
  }
  if (differences > 0) failures.push(`Postgres and the log differ in ${differences} places`);
  return failures;
}

function p99Of({ p99Ms }: LoadResult): number {
  return p99Ms;
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
