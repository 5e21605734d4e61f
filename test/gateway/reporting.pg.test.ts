// Reporting as the server's settings and its stop have it: a stop reports what was answered and
// never waits long for Postgres; a Postgres that cannot be reached stops no start; off is off. Real
// servers and a Postgres of this file's own.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { DAY_MS } from '../../core/limits.ts';
import { countBlocks } from '../../persist/block-count.ts';
import { ExitCode } from '../../persist/exit-codes.ts';
import { reconcile } from '../../persist/reconciliation/reconcile.ts';
import { ReporterMemory } from '../../persist/reporting/report-state.ts';
import { report } from '../../persist/reporting/reporter.ts';
import {
  allocateReporterCounters,
  ReporterCounters,
} from '../../persist/reporting/reporter-counters.ts';
import { SteadyLoad } from '../durability/postgres-load.ts';
import {
  expectSameAsLog,
  readMetrics,
  readReporter,
  waitForReporter,
} from '../durability/postgres-reports.ts';
import { lockReports, openSession } from '../durability/postgres-troubles.ts';
import { keyOfClient, SEED_RECORD_COUNT } from '../durability/seeded-folder.ts';
import { ServerRuns } from '../durability/server-runs.ts';
import { removeFolder } from '../persist/test-log.ts';
import { EngineStage } from '../support/engine-stage.ts';
import type { ProcessEnd } from '../support/kassa-process.ts';
import { PostgresServer } from '../support/postgres-server.ts';
import { makeLog } from './cli/reported-log.ts';

const RATE_PER_SECOND = 1_000;
const CAUGHT_UP_MS_MAX = 25_000;
/** 5 s for what was taken (supervisor.ts), 3 s for the reporter (reporting.ts), and the exit. */
const STOP_MS_MAX = 9_000;
const SEGMENT_BYTES_MAX = 400_000;
const PASSWORD = 'not-for-anybody';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let server: PostgresServer;
let runs: ServerRuns;
let url = '';
let adminPort = 0;
let databaseCount = 0;
let load: SteadyLoad | undefined;
let session: Client | undefined;

beforeAll(async () => {
  server = await PostgresServer.start('embedded');
});

afterAll(() => server?.remove());

beforeEach(async () => {
  runs = await ServerRuns.prepare();
});

afterEach(async () => {
  await session?.end();
  await load?.close();
  await runs?.remove();
  load = undefined;
  session = undefined;
});

/** Each data folder needs a database of its own. */
async function makeDatabase(): Promise<void> {
  databaseCount += 1;
  const admin = await openSession(server.url);
  await admin.query(`create database kassa_${databaseCount}`);
  await admin.end();
  url = server.url.replace(/\/kassa$/, `/kassa_${databaseCount}`);
}

async function start(settings: Readonly<Record<string, string>>): Promise<void> {
  const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  ({ adminPort } = await runs.start(['env', ...words]).listening());
}

function startReporting(): Promise<void> {
  return start({ KASSA_REPORTING: 'on', KASSA_POSTGRES_URL: url });
}

async function openLoad(run: string): Promise<SteadyLoad> {
  const key = keyOfClient('casino', 'studio-1');
  load = await SteadyLoad.open({ port: runs.port, key, ratePerSecond: RATE_PER_SECOND, run });
  return load;
}

/** Ends the server while it is being sent to; what is unanswered then stays so. */
async function stopUnderLoad(playing: SteadyLoad): Promise<ProcessEnd> {
  playing.expectBreaks();
  const end = await runs.end('SIGTERM');
  console.log(`stopped in ${end.elapsedMs.toFixed(0)} ms`);
  await playing.close();
  return end;
}

describe('a stop under load', () => {
  beforeEach(async () => {
    await makeDatabase();
    await startReporting();
    await openLoad('first');
    await waitForReporter(adminPort, ({ isCaughtUp }) => isCaughtUp, CAUGHT_UP_MS_MAX);
  });

  test('ends when Postgres has everything that was answered', async () => {
    load?.start();
    await sleep(1_500);
    if (load === undefined) throw new Error('there is no load');
    const { exit, elapsedMs } = await stopUnderLoad(load);
    expect(exit, runs.server.errors).toBe(ExitCode.clean);
    expect(elapsedMs).toBeLessThan(STOP_MS_MAX);
    const { okCount, position } = load.totals;
    const reported = await expectSameAsLog({ connectionString: url }, runs.folder);
    const { end } = runs.readLog();
    expect(reported.position).toBe(end.blockNumber);
    expect(reported.position).toBeGreaterThanOrEqual(position);
    expect(reported.sentCount).toBeGreaterThanOrEqual(SEED_RECORD_COUNT + okCount);
  });

  test.each([
    {
      name: 'whose tables are locked',
      begin: async () => {
        session = await lockReports(url);
      },
      end: async () => {
        await session?.end();
        session = undefined;
      },
    },
    { name: 'that is gone', begin: () => server.stop(), end: () => server.restart() },
  ])('does not wait for a Postgres $name; the next server reports it', async ({ begin, end }) => {
    await begin();
    if (load === undefined) throw new Error('there is no load');
    load.start();
    // Longer than an interval between snapshots: one is being written, or was tried.
    await sleep(1_500);
    const { exit, elapsedMs } = await stopUnderLoad(load);
    await end();
    expect(exit, runs.server.errors).toBe(ExitCode.clean);
    expect(elapsedMs).toBeLessThan(STOP_MS_MAX);
    expect(existsSync(join(runs.folder, 'last-error'))).toBe(false);
    const { okCount } = load.totals;
    expect(okCount).toBeGreaterThan(RATE_PER_SECOND / 2);

    await startReporting();
    await waitForReporter(adminPort, ({ isCaughtUp }) => isCaughtUp, CAUGHT_UP_MS_MAX);
    const reported = await expectSameAsLog({ connectionString: url }, runs.folder);
    expect(reported.sentCount).toBeGreaterThanOrEqual(SEED_RECORD_COUNT + okCount);
  });
});

describe('KASSA_REPORTING=off', () => {
  test('starts no Postgres and shows no metrics of a reporter', async () => {
    await start({ KASSA_REPORTING: 'off' });
    await (await openLoad('first')).stop();
    const names = [...(await readMetrics(adminPort)).keys()];
    expect(names).toContain('kassa_durable_position');
    expect(names.filter((name) => name.includes('reporter'))).toEqual([]);
    expect(existsSync(join(runs.folder, 'postgres'))).toBe(false);
    expect(runs.server.errors).not.toMatch(/postgres/i);
  });
});

describe('KASSA_POSTGRES_URL', () => {
  test.each([
    ['of another program', `mysql://kassa:${PASSWORD}@127.0.0.1/kassa`],
    ['without a host that can be one', `postgresql://kassa:${PASSWORD}@[oops/kassa`],
    ['with a bare "@" in the password', `postgresql://kassa:a/${PASSWORD}@127.0.0.1/kassa`],
    ['with an unknown sslmode', `postgresql://kassa:${PASSWORD}@127.0.0.1/kassa?sslmode=prefer`],
  ])('%s ends the start with code 10 and is not shown', async (_name, wrong) => {
    runs.start(['env', 'KASSA_REPORTING=on', `KASSA_POSTGRES_URL=${wrong}`]);
    const { exit } = await runs.server.ended;
    const { errors, output } = runs.server;
    expect(exit, errors).toBe(ExitCode.configuration);
    expect(errors).toContain('KASSA_POSTGRES_URL');
    expect(errors + output).not.toContain(PASSWORD);
  });

  test.each([
    ['where nobody listens', () => `postgresql://kassa:${PASSWORD}@127.0.0.1:1/kassa`, /REFUSED/],
    [
      'with a wrong password',
      () => server.url.replace(/kassa:\w+@/, `kassa:${PASSWORD}@`),
      /password authentication failed/,
    ],
    ['of no database', () => server.url.replace(/kassa$/, 'nowhere'), /"nowhere" does not exist/],
  ])('%s stops nothing but reports, and the log says why', async (_name, makeUrl, reason) => {
    await start({ KASSA_REPORTING: 'on', KASSA_POSTGRES_URL: makeUrl() });
    const line = await runs.server.waitForLog('reporting is interrupted');
    expect(line.reason).toMatch(reason);
    const playing = await openLoad('first');
    playing.start();
    await sleep(500);
    const { sentCount, okCount, failures } = await playing.stop();
    expect(failures).toEqual([]);
    expect(okCount).toBe(sentCount);
    const { isUp, lagRecords } = await readReporter(adminPort);
    expect({ isUp, lagRecords }).toEqual({
      ...{ isUp: false, lagRecords: SEED_RECORD_COUNT + sentCount },
    });
    expect((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status).toBe(200);
    const { errors, output } = runs.server;
    expect(errors + output).not.toContain(PASSWORD);
    expect(errors + output).not.toContain(new URL(server.url).password);
  });
});

describe('KASSA_REPORTING_JOURNAL_DAYS', () => {
  test('takes older days out of the journal, and keeps each as a table of its own', async () => {
    await makeDatabase();
    const { folder } = makeDailyLog(4);
    try {
      await reportWithDays(folder, 1);
      session = await openSession(url);
      const days = await session.query(
        `select partition, detached_at is not null as detached from kassa.partitions
         where parent = 'transactions' and from_at < '2023-11-18' order by from_at`,
      );
      expect(days.rows).toEqual([
        { partition: 'transactions_2023_11_14', detached: true },
        { partition: 'transactions_2023_11_15', detached: false },
        { partition: 'transactions_2023_11_16', detached: false },
        { partition: 'transactions_2023_11_17', detached: false },
      ]);
      const kept = await session.query(
        'select count(*)::integer from kassa.transactions_2023_11_14',
      );
      expect(kept.rows[0].count).toBeGreaterThan(0);
      const compared = await reconcile({ client: session, dataFolder: folder, keptPerSortMax: 5 });
      expect(compared.differences).toEqual([]);
      expect(compared.notes).toEqual([
        'Days taken out of the journal were left out: 1, 2023-11-14 to 2023-11-14.',
      ]);
    } finally {
      removeFolder(folder);
    }
  });
});

/** A log with a deposit on each day; the stage begins on 2023-11-14. */
function makeDailyLog(dayCount: number): { readonly folder: string } {
  const stage = new EngineStage();
  for (let day = 1; day < dayCount; day += 1) {
    stage.closeBlock();
    stage.nowMs += DAY_MS;
    stage.fund({ cash: 500 });
  }
  stage.closeBlock();
  return makeLog(stage.blocks);
}

/** Reports a log to its end as the server's reporter does, with this setting. */
async function reportWithDays(dataFolder: string, journalDays: number): Promise<void> {
  const untilPosition = countBlocks(dataFolder, true);
  await report({
    ...{ dataFolder, journalDays, untilPosition, journal: true, readOnly: true },
    connection: { connectionString: url },
    snapshotIntervalMs: 1,
    segmentBytesMax: SEGMENT_BYTES_MAX,
    durablePosition: () => untilPosition,
    durableTimeMs: () => Date.now(),
    memory: new ReporterMemory(),
    counters: new ReporterCounters(allocateReporterCounters()),
    log: (level, _text, { reason }) => expect(level, String(reason)).toBe('info'),
    signal: new AbortController().signal,
  });
}
