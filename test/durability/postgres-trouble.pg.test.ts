// A real server that reports into a real Postgres, under a steady load, while Postgres is stopped,
// killed, locked, full or restarted: bets go on as if nothing were, and afterwards Postgres has
// every record once (design section 8). The embedded package's Postgres and Debian's 15.
//
// Latency is printed for each phase and asserted only with a generous bound, since machines are
// shared. By hand, on a quiet machine, the figures of long phases, one after another in rounds, so
// that what the machine does meanwhile falls on both:
//
//   KASSA_PHASE_SECONDS=10 KASSA_PHASE_ROUNDS=6 KASSA_LOAD_RATE=3000 node_modules/.bin/node \
//     node_modules/vitest/vitest.mjs run test/durability/postgres-trouble.pg.test.ts
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  hasDebianPostgres,
  type PostgresKind,
  PostgresServer,
} from '../support/postgres-server.ts';
import { SteadyLoad } from './postgres-load.ts';
import {
  expectSameAsLog,
  ReporterWatch,
  readReporter,
  waitForReporter,
} from './postgres-reports.ts';
import { openSession, TROUBLES, type Trouble } from './postgres-troubles.ts';
import { keyOfClient, SEED_RECORD_COUNT } from './seeded-folder.ts';
import { ServerRuns } from './server-runs.ts';

const PHASE_SECONDS = Number(process.env.KASSA_PHASE_SECONDS ?? 0);
const ROUNDS = Number(process.env.KASSA_PHASE_ROUNDS ?? 1);
const RATE_PER_SECOND = Number(process.env.KASSA_LOAD_RATE ?? 2_000);
const PHASE_MS = PHASE_SECONDS * 1_000;
const WARM_UP_MS = PHASE_MS === 0 ? 300 : 5_000;
const BEFORE_MS = PHASE_MS || 1_000;
const TROUBLE_MS = PHASE_MS || 2_000;
const AFTER_MS = PHASE_MS || 300;
/** The reporter tries again after 10 s at most, and then catches up. */
const RETURN_MS_MAX = 15_000 + PHASE_MS;
/** Two files of tests and a compiler on two processors make that much of 5 ms. */
const P99_MS_MAX = 500;
const P99_FACTOR_MAX = 5;
const TEST_TIMEOUT_MS = 60_000 + 6 * ROUNDS * PHASE_MS;
/** Of the other version only what depends most on the server, unless there is time. */
const DEBIAN_TROUBLES = TROUBLES.filter(
  ({ name }) => PHASE_MS > 0 || /killed|connections/.test(name),
);

describe.each<readonly [PostgresKind, readonly Trouble[]]>([
  ['embedded', TROUBLES],
  ['debian', DEBIAN_TROUBLES],
])('the load on a server that reports into the %s Postgres', (kind, troubles) => {
  const isInstalled = kind === 'embedded' || hasDebianPostgres();
  let server: PostgresServer;
  let runs: ServerRuns;
  let url = '';
  let adminPort = 0;
  let databaseCount = 0;
  let load: SteadyLoad | undefined;
  let watch: ReporterWatch | undefined;

  beforeAll(async () => {
    if (!isInstalled) return;
    // Taking each connection by a password would cost the load's processor some milliseconds.
    const settings = { max_connections: '12' };
    server = await PostgresServer.start(kind, { settings, authentication: 'trust' });
  });

  afterAll(() => server?.remove());

  beforeEach(async () => {
    // Each data folder needs a database of its own.
    databaseCount += 1;
    const database = `kassa_${databaseCount}`;
    const admin = await openSession(server.url);
    await admin.query(`create database ${database}`);
    await admin.end();
    url = server.url.replace(/\/kassa$/, `/${database}`);
    runs = await ServerRuns.prepare();
    const settings = ['KASSA_REPORTING=on', `KASSA_POSTGRES_URL=${url}`];
    const { port, adminPort: bound } = await runs.start(['env', ...settings]).listening();
    adminPort = bound;
    const key = keyOfClient('casino', 'studio-1');
    load = await SteadyLoad.open({ port, key, ratePerSecond: RATE_PER_SECOND, run: 'one' });
    await waitForReporter(adminPort, ({ isCaughtUp }) => isCaughtUp, RETURN_MS_MAX);
  });

  afterEach(async () => {
    // After a failure the server is gone before the watch has ended.
    await watch?.end().catch(() => undefined);
    watch = undefined;
    await load?.close();
    await runs?.remove();
  });

  async function playThrough(playing: SteadyLoad, { run }: Trouble): Promise<ReporterWatch> {
    playing.enter('warm-up');
    playing.start();
    await sleep(WARM_UP_MS);
    for (let round = 1; ; round += 1) {
      playing.enter('before');
      // Looking costs a bet something: as often as during the trouble.
      await watchWhile(() => sleep(BEFORE_MS));
      playing.enter('during');
      const seen = await watchWhile(() => run({ server, url, troubleMs: TROUBLE_MS }));
      playing.enter('after');
      await waitForReporter(adminPort, ({ isUp }) => isUp, RETURN_MS_MAX);
      await sleep(AFTER_MS);
      if (round === ROUNDS) return seen;
    }
  }

  async function watchWhile(work: () => Promise<unknown>): Promise<ReporterWatch> {
    const watching = new ReporterWatch(adminPort);
    watch = watching;
    await work();
    return watching.end();
  }

  test.skipIf(!isInstalled).each(troubles)(
    'is answered, and all of it is reported once, while Postgres $name',
    async (trouble) => {
      if (load === undefined) throw new Error('there is no load');
      const seen = await playThrough(load, trouble);
      const { sentCount, okCount, failures, position } = await load.stop();
      const returnMs = await waitForReporter(
        adminPort,
        ({ isCaughtUp }) => isCaughtUp,
        RETURN_MS_MAX,
      );
      print(kind, trouble, load, returnMs);

      expect(failures).toEqual([]);
      expect(okCount).toBe(sentCount);
      expect(seen.lookCount).toBeGreaterThan(0);
      expect(seen.unreadyCount).toBe(0);
      expectLagSeen(seen, trouble);
      const { isUp, reconnects, rejectedRows } = await readReporter(adminPort);
      expect({ isUp, rejectedRows }).toEqual({ isUp: true, rejectedRows: 0 });
      expect(reconnects > 0).toBe(trouble.breaksConnections);

      const reported = await expectSameAsLog({ connectionString: url }, runs.folder);
      expect(reported.sentCount).toBe(SEED_RECORD_COUNT + sentCount);
      expect(reported.position).toBeGreaterThanOrEqual(position);
      expectLatency(load);
    },
    TEST_TIMEOUT_MS,
  );
});

/** The trouble was one, and the metrics said so. */
function expectLagSeen(seen: ReporterWatch, { breaksConnections, lagShareMin }: Trouble): void {
  expect(seen.downCount > 0).toBe(breaksConnections);
  const lagSecondsMin = (lagShareMin * TROUBLE_MS) / 1_000;
  expect(seen.lagSecondsMax).toBeGreaterThan(lagSecondsMin);
  // The load itself may fall behind on a busy machine.
  expect(seen.lagRecordsMax).toBeGreaterThan((RATE_PER_SECOND * lagSecondsMin) / 2);
}

/** Nobody waited for Postgres; what the machine does to every process is no matter of this test. */
function expectLatency(load: SteadyLoad): void {
  const [before, during] = ['before', 'during'].map((phase) => load.figures(phase));
  expect(during.count).toBeGreaterThan((ROUNDS * RATE_PER_SECOND * TROUBLE_MS) / 2_000);
  const usualMs = Math.max(before.p99Ms, during.timerP99Ms);
  expect(during.p99Ms).toBeLessThan(Math.max(P99_MS_MAX, P99_FACTOR_MAX * usualMs));
}

function print(kind: PostgresKind, { name }: Trouble, load: SteadyLoad, returnMs: number): void {
  const phases = ['before', 'during', 'after'].map((phase) => {
    const { count, p50Ms, p99Ms, maxMs, timerP99Ms } = load.figures(phase);
    const [p50, p99, max, timer] = [p50Ms, p99Ms, maxMs, timerP99Ms].map((ms) => ms.toFixed(2));
    return (
      `  ${phase.padEnd(6)} ${count} transactions, p50 ${p50}, p99 ${p99}, max ${max} ms; ` +
      `the test's own timer p99 ${timer} ms`
    );
  });
  const change = (load.figures('during').p99Ms / load.figures('before').p99Ms - 1) * 100;
  console.log(
    [
      `${RATE_PER_SECOND} transactions/s while Postgres (${kind}) ${name}:`,
      ...phases,
      `  p99 during against before ${change.toFixed(0)} %, lag gone ${returnMs.toFixed(0)} ms ` +
        `after the load, load average ${os.loadavg()[0].toFixed(1)}`,
    ].join('\n'),
  );
}
