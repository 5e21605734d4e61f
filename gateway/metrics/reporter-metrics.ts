// Adds what the reporter counts to the page of /metrics, and how far it is behind the log. Main
// thread only; the counters are in memory that the reporter's thread and the log writer's write.
import {
  type ReporterMeasures,
  readReporterCounters,
} from '../../persist/reporting/reporter-counters.ts';
import { readWriterCounters } from '../../persist/writer-counters.ts';
import type { MetricsPage } from './metrics-page.ts';

const MS_PER_SECOND = 1000;

/** Where the numbers are. */
export interface ReporterMetricsSources {
  readonly counters: SharedArrayBuffer;
  readonly writerCounters: SharedArrayBuffer;
  /** Records and bytes of content that the log had at the start of the process. */
  readonly logAtStart: () => { readonly recordCount: number; readonly contentBytes: number };
}

/** How far Postgres is behind the log. */
interface Lag {
  readonly records: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** Adds the reporter's metrics. */
export function addReporterMetrics(page: MetricsPage, sources: ReporterMetricsSources): void {
  const gauges: readonly (readonly [string, string, (measures: ReporterMeasures) => number])[] = [
    [
      'kassa_reporter_up',
      '1 while the reporter is connected to Postgres.',
      ({ isUp }) => Number(isUp),
    ],
    [
      'kassa_reporter_position',
      'Number of the last block whose records are committed in Postgres.',
      ({ position }) => position,
    ],
    [
      'kassa_reporter_commit_seconds_max',
      'The longest write of a snapshot to Postgres, commit included, since the start.',
      ({ commitMsMax }) => commitMsMax / MS_PER_SECOND,
    ],
  ];
  for (const [name, help, read] of gauges) {
    page.addGauge(name, help, () => [
      { labels: {}, value: read(readReporterCounters(sources.counters)) },
    ]);
  }
  addLag(page, sources);
  addCounters(page, sources.counters);
}

function addLag(page: MetricsPage, sources: ReporterMetricsSources): void {
  const lags: readonly (readonly [string, string, (lag: Lag) => number])[] = [
    [
      'kassa_reporter_lag_seconds',
      'Age of the oldest record that is not committed in Postgres; 0 when all are.',
      ({ seconds }) => seconds,
    ],
    [
      'kassa_reporter_lag_records',
      'Durable records that are not committed in Postgres.',
      ({ records }) => records,
    ],
    ['kassa_reporter_lag_bytes', 'Their bytes in the log.', ({ bytes }) => bytes],
  ];
  const unread: Unread = { position: -1, sinceMs: 0 };
  for (const [name, help, read] of lags) {
    page.addGauge(name, help, () => {
      const lag = readLag(sources, unread, Date.now());
      return [{ labels: {}, value: read(lag) }];
    });
  }
}

/** Blocks that the reporter has not read: since when they were seen, behind which position. */
interface Unread {
  position: number;
  sinceMs: number;
}

/**
 * The reporter tells the age of what it has read. What it has not read, since Postgres was never
 * there or keeps it waiting, is as old as the newest block was when it was first seen like that.
 */
function readLag(sources: ReporterMetricsSources, unread: Unread, nowMs: number): Lag {
  const writer = readWriterCounters(sources.writerCounters);
  const reporter = readReporterCounters(sources.counters);
  const { recordCount, contentBytes } = sources.logAtStart();
  if (reporter.position >= writer.durablePosition) return { records: 0, bytes: 0, seconds: 0 };
  if (unread.position !== reporter.position) {
    unread.position = reporter.position;
    unread.sinceMs = writer.durableTimeMs;
  }
  const isSeen = reporter.isUp || reporter.timeMs === 0;
  const unreadMs = isSeen ? unread.sinceMs : reporter.timeMs;
  const sinceMs = reporter.oldestPendingMs === 0 ? unreadMs : reporter.oldestPendingMs;
  return {
    records: Math.max(0, recordCount + writer.records - reporter.recordCount),
    bytes: Math.max(0, contentBytes + writer.contentBytes - reporter.contentBytes),
    seconds: Math.max(0, nowMs - sinceMs) / MS_PER_SECOND,
  };
}

function addCounters(page: MetricsPage, counters: SharedArrayBuffer): void {
  const rows: readonly (readonly [string, string, (measures: ReporterMeasures) => number])[] = [
    [
      'kassa_reporter_records_total',
      'Records committed to Postgres.',
      ({ recordsCommitted }) => recordsCommitted,
    ],
    [
      'kassa_reporter_journal_rows_total',
      'Rows of the journal committed to Postgres.',
      ({ journalRows }) => journalRows,
    ],
    ['kassa_reporter_snapshots_total', 'Snapshots written.', ({ snapshots }) => snapshots],
    [
      'kassa_reporter_commit_seconds_total',
      'Time of writing them, commits included.',
      ({ commitMsSum }) => commitMsSum / MS_PER_SECOND,
    ],
    [
      'kassa_reporter_reconnects_total',
      'Connections to Postgres after the first one.',
      ({ connections }) => Math.max(0, connections - 1),
    ],
    [
      'kassa_reporter_rejected_rows_total',
      'Rows that Postgres refused; kassa.rejected_rows has them.',
      ({ rejectedRows }) => rejectedRows,
    ],
  ];
  for (const [name, help, read] of rows) {
    page.addCounter(name, help, [], () => [
      { labels: {}, value: read(readReporterCounters(counters)) },
    ]);
  }
}
