// The lag that /metrics shows, from what the log writer and the reporter count.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { MetricsPage } from '../../gateway/metrics/metrics-page.ts';
import { addReporterMetrics } from '../../gateway/metrics/reporter-metrics.ts';
import {
  allocateReporterCounters,
  ReporterCounters,
} from '../../persist/reporting/reporter-counters.ts';
import { allocateWriterCounters, WriterCounters } from '../../persist/writer-counters.ts';

const START_MS = 1_700_000_000_000;
const IDLE_MS = 3_600_000;

let writer: WriterCounters;
let reporter: ReporterCounters;
let page: MetricsPage;

beforeEach(() => {
  vi.useFakeTimers({ now: START_MS, toFake: ['Date'] });
  const writerCounters = allocateWriterCounters();
  const counters = allocateReporterCounters();
  writer = new WriterCounters(writerCounters);
  reporter = new ReporterCounters(counters);
  page = new MetricsPage({ version: '0', lanes: [], isReady: () => true });
  addReporterMetrics(page, {
    ...{ counters, writerCounters },
    logAtStart: () => ({ recordCount: 0, contentBytes: 0 }),
  });
  writer.setStart({ position: 10, timeMs: START_MS, logBytes: 1_000 });
  return () => vi.useRealTimers();
});

async function lagSeconds(): Promise<number> {
  const line = /^kassa_reporter_lag_seconds (\S+)$/m.exec(await page.render());
  return Number(line?.[1]);
}

/** Some ms later: a block is durable. */
function commit(position: number, afterMs: number): void {
  vi.advanceTimersByTime(afterMs);
  const commitMs = { milliseconds: 1, timeMs: Date.now(), position, logBytes: 2_000 };
  writer.countCommit(commitMs);
}

const AT_START = { position: 10, timeMs: START_MS, recordCount: 0, contentBytes: 0 };

describe('the lag in seconds', () => {
  test('is 0 when all is committed, also after an hour without a bet', async () => {
    reporter.setUp(AT_START);
    vi.advanceTimersByTime(IDLE_MS);
    expect(await lagSeconds()).toBe(0);
  });

  test('begins with the first bet after an idle hour, not with the hour', async () => {
    reporter.setUp(AT_START);
    await lagSeconds();
    commit(11, IDLE_MS);
    vi.advanceTimersByTime(5);
    expect(await lagSeconds()).toBeCloseTo(0.005);
  });

  test('grows while a Postgres that hangs keeps the reporter from reading', async () => {
    reporter.setUp(AT_START);
    for (let second = 0; second <= 30; second += 1) {
      commit(11 + second, second === 0 ? IDLE_MS : 1_000);
      expect(await lagSeconds()).toBeCloseTo(second);
    }
  });

  test('grows while Postgres was never there', async () => {
    for (let second = 0; second <= 30; second += 1) {
      commit(11 + second, second === 0 ? 0 : 1_000);
      expect(await lagSeconds()).toBeCloseTo(second);
    }
  });

  test('is the age of what Postgres had last while the connection is broken', async () => {
    reporter.setUp(AT_START);
    reporter.setDown();
    commit(11, 7_000);
    expect(await lagSeconds()).toBe(7);
  });

  test('is the age of the oldest block that was read and is not committed', async () => {
    reporter.setUp(AT_START);
    commit(11, 1_000);
    reporter.setOldestPending(START_MS + 1_000);
    commit(12, 2_000);
    expect(await lagSeconds()).toBe(2);
  });
});
