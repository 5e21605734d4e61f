// The result of `--workload report`: its object, what is asked of its figures, and what makes it no
// measurement.
import type { Calibration } from '../calibration.ts';
import { conditionsOf } from '../conditions.ts';
import { findFailures } from '../measurement.ts';
import type { BenchOptions } from '../options.ts';
import { frameTransactionsOf, LAG_ZERO_TIMEOUT_MS } from './paced-load.ts';
import type { LiveMeasurement, ReportingMeasurement } from './reporting-workload.ts';

/** What was measured, and where. */
export interface ReportingMeasured {
  readonly options: BenchOptions;
  readonly folder: string;
  readonly calibration: Calibration;
  readonly measurement: ReportingMeasurement;
  readonly failures: readonly string[];
}

/** Bounds of design section 9 by the figure they are asked of; shown, not enforced. */
export const REPORTING_ASKED: Readonly<Record<string, string>> = {
  catchUpTransactionsPerSecond: '100,000 or more',
  catchUpTransactions: '3,000,000 or more',
  liveLagSecondsMax: '2 at most',
  liveBalanceLagSecondsMax: '2 at most',
};

const LEFT_OUT: readonly string[] = ['checkpoints and sealing, which this version does not have'];
/** The lag at another rate than the one that was asked for answers no question. */
const RATE_SHARE_MIN = 0.95;

/** The object that `--json` prints. */
export function reportingObject(measured: ReportingMeasured): Record<string, unknown> {
  const { options, measurement } = measured;
  const { catchUp, log, journal, balances } = measurement;
  return {
    workload: options.workload,
    catchUpTransactionsPerSecond: catchUp.transactionsPerSecond,
    catchUpTransactions: catchUp.transactions,
    catchUpSeconds: catchUp.seconds,
    catchUpPreludeRecordsPerSecond: catchUp.preludeRecordsPerSecond,
    ...liveFigures('live', journal),
    ...liveFigures('liveBalance', balances),
    journalCommitSecondsMax: journal.lag.commitSecondsMax,
    balanceCommitSecondsMax: balances.lag.commitSecondsMax,
    logTransactionsPerSecond: log.transactions / log.seconds,
    accounts: options.accounts,
    connections: options.connections,
    inFlight: options.inFlight,
    logFrameTransactions: frameTransactionsOf(options, null),
    liveFrameTransactions: frameTransactionsOf(options, journal.ratePerSecond),
    liveBalanceFrameTransactions: frameTransactionsOf(options, balances.ratePerSecond),
    idBytes: options.idBytes,
    ...conditionsOf({ ...measured, seed: options.seed, leftOut: LEFT_OUT }),
  };
}

function liveFigures(prefix: string, live: LiveMeasurement): Record<string, unknown> {
  const { load, lag, withoutReporting } = live;
  const figures = {
    RatePerSecond: live.ratePerSecond,
    TransactionsPerSecond: load.transactions / load.seconds,
    LagSecondsMedian: lag.secondsMedian,
    LagSecondsP99: lag.secondsP99,
    LagSecondsMax: lag.secondsMax,
    SecondsUntilLagZero: lag.secondsUntilZero,
    RejectedRows: lag.rejectedRowsTotal,
    P50Ms: load.p50Ms,
    P50MsWithoutReporting: withoutReporting.p50Ms,
    P99Ms: load.p99Ms,
    P99MsWithoutReporting: withoutReporting.p99Ms,
  };
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [`${prefix}${name}`, value]),
  );
}

/** What makes it no measurement; empty if nothing. */
export function findReportingFailures(measurement: ReportingMeasurement): string[] {
  const { catchUp, journal, balances, runs } = measurement;
  const failures = runs.flatMap(findFailures);
  if (catchUp.transactions === 0) {
    failures.push(
      'the log was too short to catch up with: fewer than two commits after its accounts',
    );
  }
  failures.push(...findLiveFailures('with the journal', journal));
  failures.push(...findLiveFailures('with balances only', balances));
  return failures;
}

function findLiveFailures(name: string, live: LiveMeasurement): string[] {
  const { ratePerSecond, load, lag, withoutReporting } = live;
  const failures: string[] = [];
  for (const [run, of] of [
    [load, name],
    [withoutReporting, 'without reporting'],
  ] as const) {
    const reached = Math.round(run.transactions / run.seconds);
    if (reached < RATE_SHARE_MIN * ratePerSecond) {
      failures.push(`${of}: ${reached} transactions a second instead of ${ratePerSecond}`);
    }
  }
  if (lag.secondsUntilZero === null) {
    failures.push(`${name}: the lag was not 0 again ${LAG_ZERO_TIMEOUT_MS} ms after the load`);
  }
  if (lag.rejectedRowsTotal > 0) {
    failures.push(`${name}: Postgres rejected ${lag.rejectedRowsTotal} rows`);
  }
  return failures;
}
