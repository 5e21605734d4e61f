// What the reporter's metrics say at one moment, and waiting until it has nothing left to do.
import { setTimeout as sleep } from 'node:timers/promises';
import { findMetric, type ServerProcess } from '../server-process.ts';

/** The reporter at one moment. */
export interface ReporterSample {
  readonly atMs: number;
  /** Age of the oldest record that Postgres has not committed. */
  readonly lagSeconds: number;
  /** Records committed to Postgres since the server started. */
  readonly recordsTotal: number;
  /** The longest since the server started. */
  readonly commitSecondsMax: number;
  readonly rejectedRowsTotal: number;
  /** Everything durable is in Postgres. */
  readonly isCaughtUp: boolean;
}

/** Each look takes both processes some 2 ms: at 40 a second catching up was 7 % slower. */
const FOLLOW_POLL_MS = 250;
/** A wait is measured by when it ended, so it looks more often than the lag is sampled. */
const WAIT_POLL_MS = 25;
/** A single commit takes a second or two; making a cluster as long. */
const STALL_MS = 60_000;

/** Reads the metrics; throws where the server has no reporter. */
export async function readReporter(server: ServerProcess): Promise<ReporterSample> {
  const page = await server.readMetricsPage();
  const find = (name: string): number => {
    const value = findMetric(page, name);
    if (!Number.isNaN(value)) return value;
    throw new Error(`Cannot measure because the server does not show ${name}`);
  };
  return {
    atMs: performance.now(),
    lagSeconds: find('kassa_reporter_lag_seconds'),
    recordsTotal: find('kassa_reporter_records_total'),
    commitSecondsMax: find('kassa_reporter_commit_seconds_max'),
    rejectedRowsTotal: find('kassa_reporter_rejected_rows_total'),
    isCaughtUp:
      find('kassa_reporter_up') === 1 &&
      find('kassa_reporter_lag_records') === 0 &&
      find('kassa_reporter_position') >= find('kassa_durable_position'),
  };
}

/** Resolves when Postgres has everything; rejects when it takes no record for a minute. */
export async function followToEnd(
  server: ServerProcess,
  onSample: (sample: ReporterSample) => void,
): Promise<ReporterSample> {
  let recordsBefore = -1;
  let movedAtMs = 0;
  for (;;) {
    const sample = await readReporter(server);
    onSample(sample);
    if (sample.isCaughtUp) return sample;
    if (sample.recordsTotal > recordsBefore) {
      recordsBefore = sample.recordsTotal;
      movedAtMs = sample.atMs;
    } else if (sample.atMs - movedAtMs > STALL_MS) {
      throw new Error(`Cannot measure because Postgres took no record for ${STALL_MS} ms`);
    }
    await sleep(FOLLOW_POLL_MS);
  }
}

/** The first sample without a lag, or null after the timeout. */
export async function waitForLagZero(
  server: ServerProcess,
  timeoutMs: number,
): Promise<ReporterSample | null> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const sample = await readReporter(server);
    if (sample.isCaughtUp) return sample;
    if (sample.atMs > deadlineMs) return null;
    await sleep(WAIT_POLL_MS);
  }
}
