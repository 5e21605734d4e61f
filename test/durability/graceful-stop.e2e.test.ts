// A server that is asked to stop under load: it ends in time with 0, what it told is on disk, what
// it decided it also told, and the next one goes on where it ended.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Kind } from '../../core/kinds.ts';
import { ExitCode } from '../../persist/exit-codes.ts';
import { type LoadClient, runAll, startSenders } from './load-client.ts';
import type { ReadLog } from './log-records.ts';
import { ModelCheck } from './model-check.ts';
import { RandomChoice } from './random-choice.ts';
import { RawStream } from './raw-stream.ts';
import { keyOfClient, SEED_RECORD_COUNT } from './seeded-folder.ts';
import { ServerRuns } from './server-runs.ts';

const SEED = Number(process.env.KASSA_SEED ?? Date.now() % 2 ** 31);
const PLAYERS = ['ann', 'bob', 'cleo', 'dan', 'eve', 'fay', 'gus', 'hal'];
const STOPS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGTERM', 'SIGTERM'];
const BURST_COMMANDS = 400;
const STOP_MS_MAX = 5_000;
const TEST_TIMEOUT_MS = 90_000;

let runs: ServerRuns;
let clients: LoadClient[] = [];

beforeEach(async () => {
  runs = await ServerRuns.prepare();
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  clients = [];
  await runs.remove();
});

/** Sends a signal; the server must end as a clean stop does. */
async function stop(signal: NodeJS.Signals): Promise<ReadLog> {
  const { exit, elapsedMs } = await runs.end(signal);
  expect(exit, runs.server.errors).toBe(ExitCode.clean);
  expect(elapsedMs).toBeLessThan(STOP_MS_MAX);
  expect(existsSync(join(runs.folder, 'last-error'))).toBe(false);
  return runs.readLog();
}

/** Every record that a client's transaction made was told, and nothing that is not on disk. */
function expectAllTold({ shard, records }: ReadLog): void {
  const told = new Set(
    clients.flatMap(({ entries }) =>
      entries.flatMap(({ outcomes = [] }) => outcomes.map(({ sequence }) => sequence)),
    ),
  );
  expect(Math.max(...told)).toBeLessThanOrEqual(shard.sequence);
  const untold = records
    .slice(SEED_RECORD_COUNT)
    .filter(({ kind, sequence }) => kind < Kind.roundAged && !told.has(sequence));
  expect(untold).toEqual([]);
}

test(
  'a stop under load ends with 0 within 5 s; what was told is on disk, what was decided is told',
  async () => {
    console.log(`stops under load: KASSA_SEED=${SEED} repeats this run`);
    const random = new RandomChoice(SEED);
    await runs.start().listening();
    const target = { port: runs.port, seed: SEED, currentRun: () => runs.currentRun };
    clients = await startSenders(target, PLAYERS);
    const load = runAll(clients);
    for (const signal of STOPS) {
      await sleep(random.whole(100, 300));
      // The signal comes while these are received, decided, on their way to the disk, or answered.
      for (const client of clients) client.burst(BURST_COMMANDS);
      await sleep(random.whole(1, 30));
      const log = await stop(signal);
      // What the sockets still hold when the process is gone.
      await sleep(100);
      expectAllTold(log);
      await runs.start().listening();
    }
    for (const client of clients) client.stop();
    await load;
    const log = await stop('SIGTERM');
    expectAllTold(log);
    const check = new ModelCheck(log, clients, runs.sequencesBefore);
    check.play();
    check.compareBalances(PLAYERS);
    expect(log.shard.checkTotals()).toBe('');
  },
  TEST_TIMEOUT_MS,
);

test(
  'an answer given before a stop reaches a client that reads late and goes on sending',
  async () => {
    await runs.start().listening();
    const stream = await RawStream.open(runs.port, keyOfClient('casino', 'studio-1'));
    stream.send([1, 1, [[Kind.open, 'open', 'ann', 'EUR']]]);
    await stream.waitForAnswers(1);
    stream.stopReading();
    stream.send([1, 2, [[Kind.deposit, 'deposit', 'ann', 'EUR', 5]]]);
    await sleep(100);
    runs.server.signal('SIGTERM');
    // A socket that is closed before its peer has read on answers these with a reset, and what the
    // peer has not read is lost.
    for (let late = 0; late < 6; late += 1) {
      await sleep(30);
      stream.send([4, 10 + late]);
    }
    stream.readOn();
    const [, answer] = await stream.waitForAnswers(2);
    expect(answer.slice(0, 2)).toEqual([1, 2]);
    stream.close();
    await stop('SIGTERM');
  },
  TEST_TIMEOUT_MS,
);

test(
  'a client that reads nothing does not hold up a stop',
  async () => {
    await runs.start().listening();
    const stream = await RawStream.open(runs.port, keyOfClient('casino', 'studio-1'));
    stream.send([1, 1, [[Kind.open, 'open', 'ann', 'EUR']]]);
    await stream.waitForAnswers(1);
    stream.stopReading();
    const accounts = Array.from({ length: 1_000 }, () => ['ann', 'EUR']);
    for (let number = 0; number < 400; number += 1) stream.send([3, number, accounts]);
    await sleep(500);
    await stop('SIGTERM');
    stream.close();
  },
  TEST_TIMEOUT_MS,
);
