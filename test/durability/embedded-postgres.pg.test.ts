// The embedded Postgres of a data folder behind a real server: it comes with the server, is started
// again when it dies, goes when the server is killed, and whatever was killed under load, in the
// end it has exactly what the log has. One folder and one cluster for all tests of the file, in
// order. KASSA_SEED repeats the traffic and the moments, KASSA_KILLS sets their number.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ExitCode } from '../../persist/exit-codes.ts';
import { clusterFolderOf } from '../../persist/postgres/cluster-folder.ts';
import { processesIn, readPostmasterPid } from '../../persist/postgres/cluster-processes.ts';
import { findRunningCluster } from '../../persist/postgres/find-cluster.ts';
import { type LoadClient, runAll, startSenders } from './load-client.ts';
import { SteadyLoad } from './postgres-load.ts';
import {
  type ComparedReports,
  expectSameAsLog,
  readReporter,
  waitForReporter,
} from './postgres-reports.ts';
import { RandomChoice } from './random-choice.ts';
import { keyOfClient, SEED_RECORD_COUNT } from './seeded-folder.ts';
import { ServerRuns } from './server-runs.ts';

const SEED = Number(process.env.KASSA_SEED ?? Date.now() % 2 ** 31);
const KILLS = Number(process.env.KASSA_KILLS ?? 3);
const PLAYERS = Array.from({ length: 20 }, (_, number) => `random-player-${number}`);
const RATE_PER_SECOND = 1_000;
/** Making or recovering a cluster, and catching up. */
const UP_MS_MAX = 25_000;
const GONE_MS_MAX = 10_000;
const TEST_TIMEOUT_MS = 90_000 + KILLS * 10_000;

let runs: ServerRuns;
let clusterFolder = '';
let adminPort = 0;
let load: SteadyLoad | undefined;
let clients: LoadClient[] = [];

beforeAll(async () => {
  runs = await ServerRuns.prepare();
  clusterFolder = clusterFolderOf(runs.folder);
  await start();
}, TEST_TIMEOUT_MS);

afterEach(async () => {
  await load?.close();
  await Promise.all(clients.map((client) => client.close()));
  load = undefined;
  clients = [];
});

afterAll(async () => {
  await runs?.end('SIGKILL');
  await expectGone();
  await runs?.remove();
}, TEST_TIMEOUT_MS);

async function start(): Promise<void> {
  ({ adminPort } = await runs.start(['env', 'KASSA_REPORTING=on']).listening());
}

async function startLoad(run: string): Promise<SteadyLoad> {
  const key = keyOfClient('casino', 'studio-1');
  load = await SteadyLoad.open({ port: runs.port, key, ratePerSecond: RATE_PER_SECOND, run });
  load.start();
  return load;
}

/** Resolves once everything durable is in Postgres, and compares. */
async function expectReported(): Promise<ComparedReports> {
  await waitForReporter(adminPort, ({ isCaughtUp }) => isCaughtUp, UP_MS_MAX);
  const connection = findRunningCluster(runs.folder);
  if (connection === undefined) throw new Error('no cluster runs in the data folder');
  expect((await readReporter(adminPort)).rejectedRows).toBe(0);
  return expectSameAsLog({ ...connection }, runs.folder);
}

/** No process works in the cluster's folder any more; whatever is left is ended by its id. */
async function expectGone(): Promise<void> {
  const findLeft = (): number[] => (existsSync(clusterFolder) ? processesIn(clusterFolder) : []);
  const deadlineMs = performance.now() + GONE_MS_MAX;
  while (findLeft().length > 0 && performance.now() < deadlineMs) await sleep(20);
  const left = findLeft();
  for (const pid of left) process.kill(pid, 'SIGKILL');
  expect(left).toEqual([]);
}

/** Nanoseconds; undefined where the process is gone, or the kernel shows none. */
function sliceOf(process: string): string | undefined {
  try {
    const text = readFileSync(`/proc/${process}/sched`, 'utf8');
    return /^se\.slice\s*:\s*(\d+)$/m.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/** Ids of the processes that keep the Postgres of a data folder. */
function keepersOf(dataFolder: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      return line.includes('postgres-keeper') && line.includes(dataFolder);
    } catch {
      // No process, or one that has just ended.
      return false;
    }
  });
}

describe('an embedded Postgres under load', () => {
  let allSentCount = SEED_RECORD_COUNT;

  test(
    'that is killed is started again by the server, and no record is lost',
    async () => {
      const playing = await startLoad('first');
      await waitForReporter(adminPort, ({ isUp }) => isUp, UP_MS_MAX);
      const before = readPostmasterPid(clusterFolder);
      if (before === undefined) throw new Error('the reporter is up without a postmaster');
      process.kill(before, 'SIGKILL');
      await waitForReporter(adminPort, ({ isUp }) => !isUp, UP_MS_MAX);
      await waitForReporter(adminPort, ({ isUp }) => isUp, UP_MS_MAX);
      expect(readPostmasterPid(clusterFolder)).not.toBe(before);

      const { sentCount, okCount, failures } = await playing.stop();
      expect(failures).toEqual([]);
      expect(okCount).toBe(sentCount);
      const reported = await expectReported();
      allSentCount += sentCount;
      expect(reported.sentCount).toBe(allSentCount);
      expect((await readReporter(adminPort)).reconnects).toBeGreaterThan(0);
    },
    TEST_TIMEOUT_MS,
  );

  test.skipIf(sliceOf('self') === undefined)(
    'has long slices of a core in all its processes',
    async () => {
      await waitForReporter(adminPort, ({ isUp }) => isUp, UP_MS_MAX);
      const slices = processesIn(clusterFolder)
        .map((pid) => sliceOf(String(pid)))
        .filter((slice) => slice !== undefined);
      expect(slices.length).toBeGreaterThan(5);
      expect(new Set(slices)).toEqual(new Set(['50000000']));
    },
    TEST_TIMEOUT_MS,
  );

  test(
    'has a keeper that comes back when it is killed, and Postgres with it',
    async () => {
      const [keeper] = keepersOf(runs.folder);
      const postmaster = readPostmasterPid(clusterFolder);
      process.kill(Number(keeper), 'SIGKILL');
      await waitForReporter(adminPort, ({ isUp }) => !isUp, UP_MS_MAX);
      await waitForReporter(adminPort, ({ isUp }) => isUp, UP_MS_MAX);
      expect(keepersOf(runs.folder)).not.toEqual([keeper]);
      expect(readPostmasterPid(clusterFolder)).not.toBe(postmaster);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    'is gone soon after its server was killed, and the next one goes on with it',
    async () => {
      const playing = await startLoad('second');
      await waitForReporter(adminPort, ({ isUp }) => isUp, UP_MS_MAX);
      await sleep(1_000);
      playing.expectBreaks();
      const keepers = keepersOf(runs.folder);
      expect(keepers.length).toBe(1);
      const killedMs = performance.now();
      await runs.end('SIGKILL');
      await expectGone();
      await expect.poll(() => keepersOf(runs.folder), { timeout: GONE_MS_MAX }).toEqual([]);
      console.log(`gone after ${(performance.now() - killedMs).toFixed(0)} ms`);

      await start();
      await sleep(1_000);
      const { sentCount, okCount, failures } = await playing.stop();
      expect(failures).toEqual([]);
      expect(okCount).toBe(sentCount);
      const reported = await expectReported();
      allSentCount += sentCount;
      expect(reported.sentCount).toBe(allSentCount);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    'has what the log has after kills of the server at random moments',
    async () => {
      console.log(`kills under load: KASSA_SEED=${SEED} KASSA_KILLS=${KILLS} repeats this run`);
      const random = new RandomChoice(SEED);
      const target = { port: runs.port, seed: SEED, currentRun: () => runs.currentRun };
      clients = await startSenders(target, PLAYERS);
      const running = runAll(clients);
      for (let kill = 0; kill < KILLS; kill += 1) {
        await sleep(random.whole(100, 2_500));
        await runs.end('SIGKILL');
        await start();
      }
      for (const client of clients) client.stop();
      await running;
      const reported = await expectReported();
      const positions = clients.flatMap(({ entries }) =>
        entries.flatMap(({ outcomes = [] }) => outcomes.map(({ position }) => position)),
      );
      expect(reported.position).toBeGreaterThanOrEqual(Math.max(...positions));
    },
    TEST_TIMEOUT_MS,
  );

  test(
    'is stopped with the server, after everything was reported',
    async () => {
      const { exit, elapsedMs } = await runs.end('SIGTERM');
      console.log(`stopped in ${elapsedMs.toFixed(0)} ms`);
      expect(exit, runs.server.errors).toBe(ExitCode.clean);
      expect(processesIn(clusterFolder)).toEqual([]);
      expect(existsSync(`${clusterFolder}/postmaster.pid`)).toBe(false);
    },
    TEST_TIMEOUT_MS,
  );
});
