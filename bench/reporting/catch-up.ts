// How fast Postgres takes a log that was written before: the reporter works alone, the server is
// idle. A log begins with the accounts (opened, funded), the prelude; canonical transactions
// follow.
//
// Measured from commit to commit, as the counter moves: from the first one seen that has passed the
// prelude to the last, so neither the start of Postgres nor a part of a snapshot is in it.
import type { ReportProgress } from '../measurement.ts';
import type { ServerProcess } from '../server-process.ts';
import { followToEnd, type ReporterSample } from './reporter-sample.ts';

/** What a log is made of. */
export interface CaughtUpLog {
  /** Openings and deposits. */
  readonly preludeRecords: number;
  /** All of it; canonical transactions make one record each. */
  readonly records: number;
}

/** What catching up took; a rate is null where fewer than two commits were seen. */
export interface CatchUp {
  readonly transactions: number;
  readonly seconds: number;
  readonly transactionsPerSecond: number | null;
  readonly preludeRecordsPerSecond: number | null;
}

/** Follows a reporter that was just started until it has committed the log. */
export async function measureCatchUp(
  server: ServerProcess,
  log: CaughtUpLog,
  report: ReportProgress,
): Promise<CatchUp> {
  const moves: ReporterSample[] = [];
  await followToEnd(server, (sample) => {
    if (sample.recordsTotal !== moves.at(-1)?.recordsTotal) moves.push(sample);
    report('catch-up', Math.min(sample.recordsTotal, log.records), log.records);
  });
  // The first sample is no commit that was seen: when it came, nobody looked.
  const [, ...commits] = moves;
  return ratesOf(commits, log);
}

function ratesOf(commits: readonly ReporterSample[], log: CaughtUpLog): CatchUp {
  const passed = commits.find(({ recordsTotal }) => recordsTotal >= log.preludeRecords);
  const prelude = between(commits[0], passed);
  const { records, seconds, perSecond } = between(passed, commits.at(-1));
  return {
    transactions: records,
    seconds,
    transactionsPerSecond: perSecond,
    preludeRecordsPerSecond: prelude.perSecond,
  };
}

function between(from: ReporterSample | undefined, to: ReporterSample | undefined) {
  if (from === undefined || to === undefined || from.atMs === to.atMs) {
    return { records: 0, seconds: 0, perSecond: null };
  }
  const records = to.recordsTotal - from.recordsTotal;
  const seconds = (to.atMs - from.atMs) / 1_000;
  return { records, seconds, perSecond: records / seconds };
}
