// The client against a server that can be told to break, refuse and delay.
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type ClientEvent,
  type ClientSettings,
  connect,
  type KassaClient,
} from '../../../gateway/client/client.ts';
import { KassaClientError } from '../../../gateway/client/client-error.ts';
import { FakeServer, type TakenRequest } from './fake-server.ts';

let server: FakeServer;
let clients: KassaClient[];
let events: ClientEvent[];

beforeEach(async () => {
  server = await FakeServer.start();
  clients = [];
  events = [];
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close(0)));
  await server.stop();
});

async function open(settings: Partial<ClientSettings> = {}): Promise<KassaClient> {
  const client = await connect({
    port: server.port,
    key: server.key,
    backoffMinMs: 5,
    backoffMaxMs: 20,
    onEvent: (event) => events.push(event),
    ...settings,
  });
  clients.push(client);
  return client;
}

function bet(transactionId: string) {
  return {
    transactionId,
    player: 'ann',
    currency: 'EUR',
    amount: 5,
    round: `round of ${transactionId}`,
  };
}

function ids(count: number, name = 'bet'): string[] {
  return Array.from({ length: count }, (_, number) => `${name}-${number}`);
}

function sentIds(request: TakenRequest): string[] {
  return request.items.map((item) => String(item[1]));
}

test('calls of one turn share a frame, in the order of calls', async () => {
  const client = await open();
  await Promise.all(ids(50).map((id) => client.bet(bet(id))));
  expect(server.requests.map(sentIds)).toEqual([ids(50)]);
});

test('a frame holds batchTransactionsMax transactions and no more', async () => {
  const client = await open({ batchTransactionsMax: 20 });
  await Promise.all(ids(50).map((id) => client.bet(bet(id))));
  expect(server.requests.map(({ items }) => items.length)).toEqual([20, 20, 10]);
  expect(server.executedIds).toEqual(ids(50));
});

test('frames are pipelined, with at most inFlightTransactionsMax unanswered', async () => {
  server.isHeld = true;
  const client = await open({ batchTransactionsMax: 10, inFlightTransactionsMax: 30 });
  const outcomes = Promise.all(ids(100).map((id) => client.bet(bet(id))));
  await expect.poll(() => server.requests.length).toBe(3);
  await client.opened;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(server.requests).toHaveLength(3);
  server.release();
  await outcomes;
  expect(server.executedIds).toEqual(ids(100));
});

test('a transaction is sent as its positional array, its outcome comes back typed', async () => {
  const client = await open();
  const outcome = await client.win({
    ...bet('w'),
    reference: 'b',
    roundEnd: true,
    game: 'g',
    provider: 'x',
  });
  expect(server.requests[0].items[0]).toEqual([
    4,
    'w',
    'ann',
    'EUR',
    5,
    'round of w',
    1,
    'b',
    'g',
    null,
    null,
    { provider: 'x' },
  ]);
  expect(outcome).toEqual({
    code: 0,
    name: 'ok',
    recorded: true,
    replay: false,
    noop: false,
    made: false,
    sequence: 1,
    timeMs: 1_000,
    balances: { cash: 2 ** 40, bonus: 0, held: 0 },
    moved: { cash: -5, bonus: 0 },
    position: 1,
    previousStatus: null,
    retryAfterMs: null,
  });
  expect(await client.bet(bet('unknown'))).toMatchObject({
    code: 11,
    name: 'account_not_found',
    recorded: false,
    balances: null,
  });
});

test.each(['break before deciding', 'break after deciding'] as const)(
  'after a %s, what is unanswered is sent again with the same ids in order and executed once',
  async (verdict) => {
    const client = await open({ batchTransactionsMax: 4 });
    server.decide = () => (server.requests.length === 3 ? verdict : 'answer');
    const outcomes = await Promise.all(ids(40).map((id) => client.bet(bet(id))));
    expect(server.connectionCount).toBe(2);
    expect(server.executedIds).toEqual(ids(40));
    expect(outcomes.map(({ sequence }) => sequence)).toEqual(
      ids(40).map((_, number) => number + 1),
    );
    const wasDecided = verdict === 'break after deciding';
    expect(outcomes.filter(({ replay }) => replay).length > 0).toBe(wasDecided);
    const events_ = events.map(({ type }) => type);
    expect(events_).toEqual(['connected', 'disconnected', 'connected']);
  },
);

test('a connection killed again and again loses and doubles nothing', async () => {
  const client = await open({ batchTransactionsMax: 7, inFlightTransactionsMax: 60 });
  const killer = setInterval(() => server.breakConnections(), 15);
  const waiting: Promise<unknown>[] = [];
  for (let round = 0; round < 40; round += 1) {
    waiting.push(...ids(25, `r${round}`).map((id) => client.bet(bet(id))));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  clearInterval(killer);
  await Promise.all(waiting);
  expect(server.connectionCount).toBeGreaterThan(3);
  expect(server.executedIds).toHaveLength(1_000);
  expect(new Set(server.executedIds).size).toBe(1_000);
});

test('an overloaded request and all behind are sent again after the delay, in order', async () => {
  const client = await open({ batchTransactionsMax: 5 });
  // As the real server: from the third request on until nothing is unanswered.
  let refusedCount = 0;
  server.decide = ({ requestId }) => {
    if (requestId < 3 || refusedCount >= 6) return 'answer';
    refusedCount += 1;
    return [60, '30'];
  };
  const startMs = performance.now();
  const outcomes = await Promise.all(ids(40).map((id) => client.bet(bet(id))));
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(29);
  expect(server.executedIds).toEqual(ids(40));
  expect(outcomes.every(({ code, replay }) => code === 0 && !replay)).toBe(true);
  expect(events).toContainEqual({ type: 'overloaded', code: 60, retryAfterMs: 30 });
});

test('nothing new is sent between an overloaded and its retry', async () => {
  const client = await open({ batchTransactionsMax: 5 });
  let isRefusing = true;
  server.decide = () => (isRefusing ? [60, '200'] : 'answer');
  const first = client.bet(bet('first'));
  await expect.poll(() => events.at(-1)?.type).toBe('overloaded');
  isRefusing = false;
  const second = client.bet(bet('second'));
  await Promise.all([first, second]);
  expect(server.requests.map(sentIds)).toEqual([['first'], ['first'], ['second']]);
});

test('without retriesRefused an overloaded is an outcome that names its delay', async () => {
  const client = await open({ retriesRefused: false });
  server.decide = () => [60, '120'];
  const outcome = await client.bet(bet('b'));
  expect(outcome).toMatchObject({
    code: 60,
    name: 'overloaded',
    recorded: false,
    retryAfterMs: 120,
  });
});

test('a request refused for good resolves with its code', async () => {
  const client = await open();
  server.decide = () => [45, 'not allowed'];
  expect(await client.bet(bet('b'))).toMatchObject({
    code: 45,
    name: 'forbidden',
    retryAfterMs: null,
  });
});

test('an atomic batch is its own frame, between what was sent before and after', async () => {
  const client = await open();
  const before = client.bet(bet('before'));
  const atomic = client.atomic([
    { ...bet('a'), kind: 'bet' },
    { ...bet('b'), kind: 'win' },
  ]);
  const after = client.bet(bet('after'));
  await Promise.all([before, after]);
  expect(server.requests.map(({ type }) => type)).toEqual([1, 2, 1]);
  expect((await atomic).map(({ sequence }) => sequence)).toEqual([2, 3]);
});

test('balances and ping resolve with what the server knows', async () => {
  const client = await open();
  const accounts = ['ann', 'nobody'].map((player) => ({ player, currency: 'EUR' }));
  const [ann, nobody] = await client.balances(accounts);
  expect(ann).toMatchObject({
    code: 0,
    status: 'betLocked',
    balances: { cash: 5, bonus: 6, held: 7 },
  });
  expect(nobody).toMatchObject({ code: 11, status: null, balances: null });
  expect(await client.ping()).toBe(7);
});

test('a frame too large for the server is split, one too large alone is refused', async () => {
  const client = await open();
  const metadata = 'm'.repeat(256);
  const outcomes = await Promise.all(ids(400).map((id) => client.bet({ ...bet(id), metadata })));
  expect(outcomes.every(({ code }) => code === 0)).toBe(true);
  expect(server.requests.length).toBeGreaterThan(1);
  expect(server.executedIds).toEqual(ids(400));
  const tooLarge = await client.bet({ ...bet('big'), metadata: 'm'.repeat(70_000) });
  expect(tooLarge).toMatchObject({ code: 47, name: 'too_large' });
});

test('close waits for what is in flight and refuses what comes later', async () => {
  const client = await open();
  server.isHeld = true;
  const outcome = client.bet(bet('b'));
  const closed = client.close();
  await expect(client.bet(bet('late'))).rejects.toMatchObject({ code: 'closed' });
  setTimeout(() => server.release(), 30);
  await closed;
  expect(await outcome).toMatchObject({ code: 0 });
});

test('close rejects what is still unanswered after its time, and says what to do', async () => {
  const client = await open();
  server.isHeld = true;
  const outcome = client.bet(bet('b'));
  const rejected = expect(outcome).rejects.toThrow(/same id/);
  await client.close(30);
  await rejected;
});

test('a full queue rejects without sending', async () => {
  const client = await open({ queuedTransactionsMax: 3 });
  server.isHeld = true;
  const taken = ids(3).map((id) => client.bet(bet(id)));
  await expect(client.bet(bet('fourth'))).rejects.toMatchObject({ code: 'queue_full' });
  await expect.poll(() => server.requests.length).toBe(1);
  server.release();
  await Promise.all(taken);
  expect(server.executedIds).toEqual(ids(3));
});

test('a refused key and a missing server are errors that say so', async () => {
  await expect(open({ key: 'tester.wrong' })).rejects.toMatchObject({ code: 'unauthorised' });
  const gone = await FakeServer.start();
  await gone.stop();
  const attempt = open({ port: gone.port, connectTimeoutMs: 100 });
  await expect(attempt).rejects.toThrow(/ECONNREFUSED.*Check that the server runs there/);
  await expect(attempt).rejects.toBeInstanceOf(KassaClientError);
});

test('a connection that falls silent is made anew and the transaction is not lost', async () => {
  const client = await open({ silenceTimeoutMs: 60 });
  server.isHeld = true;
  const outcome = client.bet(bet('b'));
  await expect.poll(() => server.connectionCount).toBe(2);
  server.isHeld = false;
  expect(await outcome).toMatchObject({ code: 0, replay: true });
});
