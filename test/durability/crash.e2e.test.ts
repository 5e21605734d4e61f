// A real server under load, killed with SIGKILL at random moments and started again on the same
// folder, again and again, while its clients go on and send again what was not answered. Then what
// they were told is held against the log and the model (design laws 1, 2, 5, 6; rules 2, 35, 36).
// KASSA_SEED repeats the traffic and the moments, KASSA_KILLS sets their number.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Outcome } from '../../gateway/client/outcome.ts';
import { type JournalEntry, type LoadClient, runAll, startSenders } from './load-client.ts';
import type { ReadLog } from './log-records.ts';
import { comparable, ModelCheck } from './model-check.ts';
import { RandomChoice } from './random-choice.ts';
import { OPERATORS } from './seeded-folder.ts';
import { ServerRuns } from './server-runs.ts';

const SEED = Number(process.env.KASSA_SEED ?? Date.now() % 2 ** 31);
const KILLS = Number(process.env.KASSA_KILLS ?? 22);
const PLAYERS = Array.from({ length: 30 }, (_, number) => `player-${number}`);
const SAMPLE_SIZE = 60;
/** Longer than any hold of the traffic lasts: after it no balance changes by itself. */
const QUIET_MS = 3_200;
const RUN_TIMEOUT_MS = 180_000;
const MODEL_TIMEOUT_MS = 90_000;

const random = new RandomChoice(SEED);
const clients: LoadClient[] = [];
let runs: ServerRuns;
let log: ReadLog;
let check: ModelCheck;
let balancesShown: (readonly [LoadClient, Map<string, object | null>])[] = [];

beforeAll(async () => {
  console.log(`kills under load: KASSA_SEED=${SEED} KASSA_KILLS=${KILLS} repeats this run`);
  runs = await ServerRuns.prepare();
  await runs.start().listening();
  const target = { port: runs.port, seed: SEED, currentRun: () => runs.currentRun };
  clients.push(...(await startSenders(target, PLAYERS)));
  const load = runAll(clients);
  for (let kill = 0; kill < KILLS; kill += 1) await killAndStart();
  for (const client of clients) client.stop();
  await load;
  await sleep(QUIET_MS);
  await Promise.all(clients.map((client) => expectRepeats(client, client.entries)));
  balancesShown = await Promise.all(
    clients.map(async (client) => [client, await client.balances()] as const),
  );
  await runs.end('SIGKILL');
  log = runs.readLog();
  check = new ModelCheck(log, clients, runs.sequencesBefore);
}, RUN_TIMEOUT_MS);

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await runs.remove();
});

/** Kills the server at a random moment, at times while it recovers, and starts the next one. */
async function killAndStart(): Promise<void> {
  const isEarly = random.chance(15);
  if (!isEarly) await runs.server.listening();
  await sleep(isEarly ? random.whole(50, 600) : random.whole(20, 500));
  const { exit } = await runs.end('SIGKILL');
  expect(exit, runs.server.errors).toBe('SIGKILL');
  expectDurable(runs.readLog());
  runs.start();
  if (!random.chance(40)) return;
  await runs.server.listening();
  await Promise.all(clients.map((client) => expectRepeats(client, sampleOf(client.entries))));
}

/** What was answered until the kill is in the log that the kill left. */
function expectDurable({ end, shard }: ReadLog): void {
  expect(shard.checkTotals()).toBe('');
  const outcomes = clients.flatMap(({ entries }) =>
    entries.flatMap((entry) => entry.outcomes ?? []),
  );
  const lastSequence = outcomes.reduce((last, { sequence }) => Math.max(last, sequence), 0);
  const lastPosition = outcomes.reduce((last, { position }) => Math.max(last, position), 0);
  expect(lastSequence).toBeLessThanOrEqual(shard.sequence);
  expect(lastPosition).toBeLessThanOrEqual(end.blockNumber);
}

function sampleOf(entries: readonly JournalEntry[]): JournalEntry[] {
  const answered = entries.filter(({ outcomes }) => outcomes !== undefined);
  return Array.from({ length: SAMPLE_SIZE }, () => random.pick(answered));
}

/** Each recorded transaction, sent again, gets its first outcome, sequence and time included. */
async function expectRepeats(client: LoadClient, entries: readonly JournalEntry[]): Promise<void> {
  const recorded = entries.filter(({ outcomes }) => outcomes?.[0].recorded === true);
  const repeats = recorded.map(async ({ command, outcomes = [] }) => {
    const { isAtomic, transactions } = command;
    expectRepeat(transactions, outcomes, await client.sendAgain(transactions));
    if (!isAtomic) return;
    expectRepeat(transactions, outcomes, await client.sendBatchAgain(transactions));
  });
  await Promise.all(repeats);
}

function expectRepeat(
  transactions: readonly object[],
  first: readonly Outcome[],
  again: readonly Outcome[],
): void {
  expect(again.map(comparable), JSON.stringify(transactions)).toEqual(first.map(comparable));
  expect(again.every(({ replay }) => replay)).toBe(true);
}

/** Recorded answers, each with the run of the server that gave it. */
function recordedAnswers(): { outcome: Outcome; key: string; run: number }[] {
  return clients.flatMap(({ entries }) =>
    entries.flatMap(({ command, outcomes = [], run }) =>
      outcomes.flatMap((outcome, place) => {
        const { operator, provider, player, kind, of, transactionId } = command.transactions[place];
        const key = JSON.stringify([operator, provider, player, kind, of ?? '', transactionId]);
        return outcome.recorded ? [{ outcome, key, run }] : [];
      }),
    ),
  );
}

test('the kills hit a server under load, over several segments', () => {
  const answers = recordedAnswers();
  const again = answers.filter(({ outcome, run }) => outcome.sequence <= runs.sequencesBefore[run]);
  const segments = readdirSync(join(runs.folder, 'log'));
  console.log(
    `kills under load: ${KILLS} kills, ${log.records.length} records, ${log.end.blockNumber} ` +
      `blocks, ${segments.length} segments, ${again.length} answers lost to a kill and given again`,
  );
  expect(runs.sequencesBefore.length).toBe(KILLS + 1);
  expect(answers.length).toBeGreaterThan(KILLS * 100);
  expect(again.length).toBeGreaterThan(0);
  expect(segments.length).toBeGreaterThan(1);
});

test('every transaction that was sent is answered, and no key was executed twice', () => {
  const keys = log.records.map(({ key }) => key).filter((key) => key !== '');
  expect(new Set(keys).size).toBe(keys.length);
  const sequences = new Map<string, number>();
  for (const { key, outcome } of recordedAnswers()) {
    expect(outcome.sequence, key).toBe(sequences.get(key) ?? outcome.sequence);
    sequences.set(key, outcome.sequence);
  }
  expect(new Set(sequences.values()).size).toBe(sequences.size);
});

test('an answer says that it is a repeat exactly when its record is older than the sending', () => {
  const seen = new Set<string>();
  for (const { key, outcome, run } of recordedAnswers()) {
    const isOlder = outcome.sequence <= runs.sequencesBefore[run];
    expect(outcome.replay, `${key} at ${outcome.sequence} in run ${run}`).toBe(
      isOlder || seen.has(key),
    );
    seen.add(key);
  }
});

test(
  'every outcome is the model’s, in the order of the log',
  () => {
    check.play();
  },
  MODEL_TIMEOUT_MS,
);

test('balances are the model’s, in the log and as the last server showed them', () => {
  check.compareBalances(PLAYERS);
  for (const [{ sender }, shown] of balancesShown) {
    for (const [account, balances] of shown) {
      const [player, currency] = account.split(' ');
      expect(balances).toEqual(check.model.balances(sender.operator, player, currency));
    }
  }
});

test('the sum over all accounts is zero', () => {
  expect(log.shard.checkTotals()).toBe('');
  for (const operator of Object.keys(OPERATORS)) {
    const sums = Object.values(check.model.totals(operator, 'EUR'));
    expect(sums.reduce((sum, each) => sum + each, 0n)).toBe(0n);
  }
});
