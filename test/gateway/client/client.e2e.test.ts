// The client against a real server, which is killed and started again under it.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, type KassaClient } from '../../../gateway/client/client.ts';
import type { Outcome } from '../../../gateway/client/outcome.ts';
import { KassaProcess } from '../../support/kassa-process.ts';

const EXAMPLE = fileURLToPath(new URL('../../../gateway/example/slot-game.ts', import.meta.url));

let folder = '';
let server: KassaProcess;
let port = 0;
let clients: KassaClient[] = [];
// Another player for each test: one server serves them all, since a start takes its time.
let ann = { player: '', currency: 'EUR' };
let testCount = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kassa-client-'));
  port = await findFreePort();
  server = new KassaProcess(folder, { KASSA_PORT: String(port) });
  await server.listening();
});

beforeEach(() => {
  testCount += 1;
  ann = { player: `ann-${testCount}`, currency: 'EUR' };
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close(0)));
  clients = [];
});

afterAll(async () => {
  await server.end('SIGKILL');
  rmSync(folder, { recursive: true, maxRetries: 5 });
});

// Not port 0: Linux does not give a port that it chose itself again while closed connections
// linger.
function findFreePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      );
    });
  });
}

function demoKey(): string {
  const demo = JSON.parse(readFileSync(join(folder, 'demo.json'), 'utf8'));
  return `${demo.clientId}.${demo.secret}`;
}

async function open(): Promise<KassaClient> {
  const client = await connect({ port, key: demoKey(), batchTransactionsMax: 50 });
  clients.push(client);
  return client;
}

async function restart(): Promise<void> {
  await server.end('SIGKILL');
  server = new KassaProcess(folder, { KASSA_PORT: String(port) });
  await server.listening();
}

test('a round from open to a win is decided, and each balance follows', async () => {
  const client = await open();
  const outcomes = await Promise.all([
    client.open({ ...ann, transactionId: 'o' }),
    client.deposit({ ...ann, transactionId: 'd', amount: 1_000 }),
    client.bet({ ...ann, transactionId: 'b', amount: 300, round: 'r', game: 'g' }),
    client.win({
      ...ann,
      transactionId: 'w',
      amount: 450,
      round: 'r',
      reference: 'b',
      roundEnd: true,
    }),
    client.bet({ ...ann, transactionId: 'b2', amount: 1, round: 'r' }),
    client.rollback({ ...ann, transactionId: 'rb', reference: 'b' }),
    client.bet({ ...ann, transactionId: 'b3', amount: 9_999 }),
  ]);
  expect(outcomes.map(({ name, balances }) => [name, balances?.cash])).toEqual([
    ['ok', 0],
    ['ok', 1_000],
    ['ok', 700],
    ['ok', 1_150],
    ['round_closed', 1_150],
    ['bet_settled', 1_150],
    ['insufficient_funds', 1_150],
  ]);
  expect(outcomes[0].made).toBe(true);
  expect(outcomes[2].moved).toEqual({ cash: -300, bonus: 0 });
  const sequences = outcomes.map(({ sequence }) => sequence);
  expect(sequences).toEqual(sequences.map((_, number) => sequences[0] + number));
});

test('a repeat gets the first outcome, another body under the key a conflict', async () => {
  const client = await open();
  await client.open({ ...ann, transactionId: 'o' });
  const first = await client.deposit({ ...ann, transactionId: 'd', amount: 5 });
  await client.deposit({ ...ann, transactionId: 'd2', amount: 7 });
  const repeat = await client.deposit({ ...ann, transactionId: 'd', amount: 5, metadata: 'again' });
  expect(repeat).toEqual({ ...first, replay: true, position: repeat.position });
  const conflict = await client.deposit({ ...ann, transactionId: 'd', amount: 6 });
  expect(conflict).toMatchObject({ name: 'key_conflict', recorded: false, balances: null });
});

test('every kind that the demo key may send reaches the engine with its fields', async () => {
  const client = await open();
  await client.open({ ...ann, transactionId: 'o' });
  await client.open({ player: 'bob', currency: 'EUR', transactionId: 'o' });
  await client.deposit({ ...ann, transactionId: 'd', amount: 1_000 });
  const account = { ...ann, amount: 100 };
  const sent = await Promise.all([
    client.withdraw({ ...account, transactionId: 'w' }),
    client.send({ ...account, kind: 'hold', transactionId: 'h', expiresIn: 60_000 }),
    client.send({ ...ann, kind: 'capture', transactionId: 'c', reference: 'h', amount: 60 }),
    client.send({ ...ann, kind: 'release', transactionId: 'l', reference: 'h', amount: 40 }),
    client.send({ ...account, kind: 'transfer', transactionId: 't', to: 'bob' }),
    client.send({ ...account, kind: 'grant', transactionId: 'g' }),
    client.send({ ...ann, kind: 'convert', transactionId: 'v', amount: 30 }),
    client.send({ ...ann, kind: 'forfeit', transactionId: 'f', amount: 30 }),
    client.bet({ ...ann, transactionId: 'b', amount: 10 }),
    client.win({ ...ann, transactionId: 'b', amount: 20, reference: 'b' }),
    client.rollback({ ...ann, transactionId: 'b', reference: 'b', of: 'win', amount: 20 }),
    client.win({ ...ann, transactionId: 'j', amount: 20, stakeless: true }),
    client.send({ ...ann, kind: 'setStatus', transactionId: 's', status: 'frozen', reason: 'x' }),
    client.send({ ...ann, kind: 'adjust', transactionId: 'a', amount: -1, reason: 'not mine' }),
  ]);
  expect(sent.map(({ name }) => name)).toEqual([...Array(11).fill('ok'), 'ok', 'ok', 'forbidden']);
  expect(sent[12].previousStatus).toBe('active');
  expect(await client.balances([ann, { player: 'bob', currency: 'EUR' }])).toMatchObject([
    { status: 'frozen', balances: { cash: 780, bonus: 40, held: 0 } },
    { status: 'active', balances: { cash: 100, bonus: 0, held: 0 } },
  ]);
});

test('an atomic batch that fails moves nothing, and one that succeeds moves all', async () => {
  const client = await open();
  await client.open({ ...ann, transactionId: 'o' });
  const deposit = { ...ann, kind: 'deposit', amount: 50 } as const;
  const bet = { ...ann, kind: 'bet', amount: 80 } as const;
  const failed = await client.atomic([
    { ...deposit, transactionId: '1' },
    { ...bet, transactionId: '2' },
  ]);
  expect(failed.map(({ name }) => name)).toEqual(['batch_aborted', 'insufficient_funds']);
  const made = await client.atomic([
    { ...deposit, transactionId: '3' },
    { ...deposit, transactionId: '4' },
    { ...bet, transactionId: '5' },
  ]);
  expect(made.map(({ balances }) => balances?.cash)).toEqual([50, 100, 20]);
  expect(await client.ping()).toBeGreaterThanOrEqual(made[2].position);
});

test('a server killed under load three times loses nothing and takes nothing twice', async () => {
  const client = await open();
  await client.open({ ...ann, transactionId: 'o' });
  await client.deposit({ ...ann, transactionId: 'd', amount: 1_000_000 });
  let isDone = false;
  const waiting: Promise<Outcome>[] = [];
  const loading = (async () => {
    // Fewer than the client's bound on what may wait, however long a start takes.
    for (let number = 0; !isDone && number < 60_000; number += 1) {
      waiting.push(client.bet({ ...ann, transactionId: `bet-${number}`, amount: 3 }));
      if (number % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
    }
  })();
  for (let kill = 0; kill < 3; kill += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    await restart();
  }
  isDone = true;
  await loading;
  const outcomes = await Promise.all(waiting);
  expect(outcomes.every(({ code }) => code === 0)).toBe(true);
  expect(new Set(outcomes.map(({ sequence }) => sequence)).size).toBe(outcomes.length);
  const [balance] = await client.balances([ann]);
  expect(balance.balances?.cash).toBe(1_000_000 - 3 * outcomes.length);
}, 60_000);

test('the example game server plays on through a kill, its books agree with Kassa', async () => {
  const programArguments = [EXAMPLE, '--players', '10', '--rounds', '150', '--pause-ms', '10'];
  const playing = promisify(execFile)(process.execPath, programArguments, {
    env: {
      ...process.env,
      KASSA_URL: `ws://127.0.0.1:${port}/v1/stream`,
      KASSA_KEY: demoKey(),
    },
  });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await restart();
  const { stdout } = await playing;
  expect(stdout).toContain('Not connected');
  expect(stdout).toContain("what the game server's own books say");
  expect(stdout).toMatch(/all +1500/);
}, 60_000);
