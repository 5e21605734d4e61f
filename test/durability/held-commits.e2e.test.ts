// No byte leaves before the disk has what it tells (design law 1; rules 36 and 37): a whole server
// in this process, with its log writer held, looked at from plain sockets.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Kind } from '../../core/kinds.ts';
import { ResultCode } from '../../core/result-codes.ts';
import { readConfiguration } from '../../gateway/configuration-source.ts';
import { type RunningServer, startServer } from '../../gateway/server.ts';
import { holdCommits, releaseCommits } from '../../persist/commit-port.ts';
import { ExitCode } from '../../persist/exit-codes.ts';
import { readLogRecords } from './log-records.ts';
import { RawRequest, RawStream } from './raw-stream.ts';
import { keyOfClient, makeSeededFolder, SEED_RECORD_COUNT } from './seeded-folder.ts';

/** Many times what a commit and an answer take. */
const HELD_MS = 600;
/** For requests to be decided in the order in which the test sends them over several sockets. */
const DECIDED_MS = 60;
const CASH_MINOR = 10_000;
const MANY_BETS = 9_000;

const STUDIO_1 = keyOfClient('casino', 'studio-1');
const STUDIO_2 = keyOfClient('casino', 'studio-2');

let folder = '';
let server: RunningServer;
let sockets: { close(): void }[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kassa-held-'));
  const dataFolder = join(folder, 'data');
  makeSeededFolder(dataFolder);
  const configuration = readConfiguration({
    KASSA_DATA: dataFolder,
    KASSA_PORT: '0',
    KASSA_REPORTING: 'off',
    KASSA_ADMIN_PORT: '0',
    KASSA_DEMO: 'off',
    KASSA_LOG_LEVEL: 'warn',
  });
  server = await startServer(configuration);
  const stream = await openStream(STUDIO_1);
  stream.send([1, 1, [openOf('ann'), depositOf('ann'), bet('known', 100)]]);
  await stream.waitForAnswers(1);
});

afterEach(async () => {
  release();
  for (const socket of sockets) socket.close();
  sockets = [];
  await server.stop();
  rmSync(folder, { recursive: true, maxRetries: 5 });
});

function hold(): void {
  for (const port of server.commitPorts) holdCommits(port);
}

function release(): void {
  for (const port of server.commitPorts) releaseCommits(port);
}

async function openStream(key: string): Promise<RawStream> {
  const stream = await RawStream.open(server.port, key);
  sockets.push(stream);
  return stream;
}

function request(text: string, body?: object): RawRequest {
  const head = [
    `${text} HTTP/1.1`,
    `Authorization: Bearer ${STUDIO_1}`,
    'Content-Type: application/json',
  ].join('\r\n');
  const opened = new RawRequest(
    server.port,
    body === undefined ? { head } : { head, body: JSON.stringify(body) },
  );
  sockets.push(opened);
  return opened;
}

function openOf(player: string): unknown[] {
  return [Kind.open, `open-${player}`, player, 'EUR'];
}

function depositOf(player: string): unknown[] {
  return [Kind.deposit, `deposit-${player}`, player, 'EUR', CASH_MINOR];
}

function bet(transactionId: string, amount: number, player = 'ann'): unknown[] {
  return [Kind.bet, transactionId, player, 'EUR', amount];
}

/** The code of each outcome of an answer: unrecorded ones are plain numbers. */
function codesOf(answer: readonly unknown[]): unknown[] {
  const outcomes = Array.isArray(answer[3]) ? answer[3] : [];
  return outcomes.map((outcome: unknown) => (Array.isArray(outcome) ? outcome[0] : outcome));
}

test('while a block is not on disk, no byte leaves for what was decided behind it', async () => {
  const stream = await openStream(STUDIO_1);
  const other = await openStream(STUDIO_2);
  hold();
  stream.send([1, 1, [bet('new', 300)]]);
  await sleep(DECIDED_MS);
  stream.send([1, 2, [bet('known', 100)]]);
  stream.send([1, 3, [bet('known', 101)]]);
  stream.send([3, 4, [['ann', 'EUR']]]);
  stream.send([4, 5]);
  stream.send([1, 6, [bet('lost', 1, 'nobody')]]);
  stream.send([2, 7, [bet('first', 1), bet('second', 2)]]);
  stream.send([2, 8, [bet('third', 1), bet('too-much', 2 * CASH_MINOR)]]);
  stream.send([1, 9, []]);
  other.send([3, 1, [['ann', 'EUR']]]);
  other.send([4, 2]);
  other.send([1, 3, [bet('lost', 1, 'nobody')]]);
  const account = { player: 'ann', currency: 'EUR' };
  const posted = request('POST /v1/transactions', {
    ...account,
    kind: 'bet',
    transactionId: 'known',
    amount: 100,
  });
  const refused = request('POST /v1/transactions', { kind: 'bet' });
  const read = request('GET /v1/accounts/ann/EUR');
  const missing = request('GET /v1/accounts/nobody/EUR');
  await sleep(HELD_MS);
  const all = [stream, other, posted, refused, read, missing];
  expect(all.map(({ receivedBytes }) => receivedBytes)).toEqual([0, 0, 0, 0, 0, 0]);

  release();
  const answers = await stream.waitForAnswers(9);
  expect(answers.map(([, requestId]) => requestId)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const { ok, keyConflict, accountNotFound, batchAborted, insufficientFunds } = ResultCode;
  expect(answers.map(codesOf)).toEqual([
    [ok],
    [ok],
    [keyConflict],
    [ok],
    [],
    [accountNotFound],
    [ok, ok],
    [batchAborted, insufficientFunds],
    [],
  ]);
  expect(answers[3][3]).toEqual([[0, CASH_MINOR - 400, 0, 0, 0, 0]]);
  expect(answers[8]).toEqual([9, 9, ResultCode.malformed, 'malformed']);
  const others = await other.waitForAnswers(3);
  expect(others.map(([, requestId]) => requestId)).toEqual([1, 2, 3]);
  expect((await posted.answer()).body).toMatchObject({ name: 'ok', replay: true });
  expect((await refused.answer()).status).toBe(400);
  expect((await read.answer()).status).toBe(200);
  expect((await missing.answer()).status).toBe(404);
});

test('a position tells of all that an answer was decided on', async () => {
  const stream = await openStream(STUDIO_1);
  hold();
  stream.send([1, 1, [bet('one', 1)]]);
  await sleep(DECIDED_MS);
  stream.send([1, 2, [bet('two', 1)]]);
  await sleep(DECIDED_MS);
  stream.send([4, 3]);
  release();
  const [one, two, ping] = await stream.waitForAnswers(3);
  expect(Number(one[2])).toBeLessThan(Number(two[2]));
  expect(ping[2]).toBe(two[2]);
});

test('what stands only on durable blocks is answered at once while commits are held', async () => {
  const stream = await openStream(STUDIO_2);
  const first = await openStream(STUDIO_1);
  hold();
  stream.send([3, 1, [['ann', 'EUR']]]);
  stream.send([4, 2]);
  stream.send([1, 3, [bet('lost', 1, 'nobody')]]);
  first.send([1, 1, [bet('known', 100)]]);
  first.send([1, 2, [bet('known', 101)]]);
  const read = request('GET /v1/accounts/ann/EUR');
  expect((await stream.waitForAnswers(3))[0][3]).toEqual([[0, CASH_MINOR - 100, 0, 0, 0, 0]]);
  expect((await first.waitForAnswers(2)).map(codesOf)).toEqual([
    [ResultCode.ok],
    [ResultCode.keyConflict],
  ]);
  expect((await read.answer()).status).toBe(200);

  // And the same connection falls silent with its first new record.
  const receivedBytes = stream.receivedBytes;
  stream.send([1, 4, [bet('late', 1)]]);
  stream.send([3, 5, [['ann', 'EUR']]]);
  await sleep(HELD_MS);
  expect(stream.receivedBytes).toBe(receivedBytes);
  release();
  expect((await stream.waitForAnswers(5)).map(([, requestId]) => requestId)).toEqual([
    1, 2, 3, 4, 5,
  ]);
});

test('an atomic batch on one connection silences a read on another', async () => {
  const stream = await openStream(STUDIO_1);
  const other = await openStream(STUDIO_2);
  hold();
  stream.send([2, 1, [bet('first', 10), [Kind.win, 'second', 'ann', 'EUR', 50, null, 0, 'first']]]);
  await sleep(DECIDED_MS);
  other.send([3, 1, [['ann', 'EUR']]]);
  await sleep(HELD_MS);
  expect([stream.receivedBytes, other.receivedBytes]).toEqual([0, 0]);
  release();
  const [answer] = await stream.waitForAnswers(1);
  expect(codesOf(answer)).toEqual([ResultCode.ok, ResultCode.ok]);
  const [shown] = await other.waitForAnswers(1);
  expect(shown[3]).toEqual([[0, CASH_MINOR - 100 - 10 + 50, 0, 0, 0, 0]]);
  expect(shown[2]).toBe(answer[2]);
});

test('a stop answers all it took once on disk, then closes, refusing what is later', async () => {
  const stream = await openStream(STUDIO_1);
  const other = await openStream(STUDIO_2);
  hold();
  stream.send([1, 1, [bet('one', 1)]]);
  await sleep(DECIDED_MS);
  // More than all buffers of the log writer take: the rest waits undecided.
  const metadata = 'x'.repeat(256);
  const many = Array.from({ length: MANY_BETS }, (_, number) => [
    ...bet(`many-${number}`, 0),
    ...[null, null, null, null, metadata],
  ]);
  stream.send([1, 2, many]);
  await sleep(DECIDED_MS);
  const stopped = server.stop();
  await sleep(HELD_MS);
  expect([stream.receivedBytes, other.receivedBytes]).toEqual([0, 0]);
  other.send([1, 1, [bet('late', 1)]]);
  expect((await other.waitForAnswers(1))[0].slice(0, 3)).toEqual([9, 1, ResultCode.stopping]);
  expect(stream.receivedBytes).toBe(0);

  release();
  const [one, two] = await stream.waitForAnswers(2);
  expect(codesOf(one)).toEqual([ResultCode.ok]);
  expect(codesOf(two)).toEqual(many.map(() => ResultCode.ok));
  expect(await stopped).toEqual({ exitCode: ExitCode.clean, isHung: false });
  expect(readLogRecords(join(folder, 'data')).records.length).toBe(
    SEED_RECORD_COUNT + 3 + 1 + MANY_BETS,
  );
});
