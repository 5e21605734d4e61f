// A real lane behind real sockets: the upgrade, frames, HTTP, the gate of the disk, and the stop.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Packr, Unpackr } from 'msgpackr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Kind } from '../../../core/kinds.ts';
import { readConfiguration } from '../../../gateway/configuration-source.ts';
import { type RunningServer, startServer } from '../../../gateway/server.ts';
import { holdCommits, releaseCommits } from '../../../persist/commit-port.ts';

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });
const QUIET_MS = 150;
const UNSENT_BYTES = 8_388_608;
const FRAME_BYTES_MAX = 65_536;

let parent = '';
let server: RunningServer;
let key = '';
let base = '';

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'kassa-stream-'));
  const folder = join(parent, 'data');
  server = await startServer(
    readConfiguration({
      KASSA_DATA: folder,
      KASSA_PORT: '0',
      KASSA_REPORTING: 'off',
      KASSA_ADMIN_PORT: '0',
      KASSA_LOG_LEVEL: 'silent',
      KASSA_FRAME_BYTES_MAX: String(FRAME_BYTES_MAX),
    }),
  );
  const demo: { clientId: string; secret: string } = JSON.parse(
    readFileSync(join(folder, 'demo.json'), 'utf8'),
  );
  key = `${demo.clientId}.${demo.secret}`;
  base = `http://127.0.0.1:${server.port}`;
});

afterAll(async () => {
  expect((await server.stop()).exitCode).toBe(0);
  rmSync(parent, { recursive: true });
});

class Stream {
  readonly socket: WebSocket;
  readonly answers: unknown[][] = [];
  readonly closed: Promise<number>;

  constructor(authorization = `Bearer ${key}`, protocol = 'kassa.v1') {
    const url = `ws://127.0.0.1:${server.port}/v1/stream`;
    this.socket = new WebSocket(url, protocol, { headers: { authorization } });
    this.socket.on('message', (data: Buffer) => {
      this.answers.push(...unpackr.unpackMultiple(data).map((answer: unknown[]) => answer));
    });
    this.closed = new Promise((resolve) => this.socket.on('close', (code) => resolve(code)));
  }

  opened(): Promise<string> {
    return new Promise((resolve) => {
      this.socket.on('open', () => resolve('open'));
      this.socket.on('error', (error) => resolve(error.message));
    });
  }

  send(request: unknown): void {
    this.socket.send(packr.pack(request));
  }

  async answer(count: number): Promise<unknown[]> {
    const deadlineMs = performance.now() + 5_000;
    while (this.answers.length < count && performance.now() < deadlineMs) await pause(2);
    return this.answers[count - 1] ?? [];
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

interface HttpResult {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly retryAfter: string | null;
}

async function http(path: string, body?: unknown, headers = {}): Promise<HttpResult> {
  const response = await fetch(`${base}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const retryAfter = response.headers.get('retry-after');
  const parsed: unknown = JSON.parse(await response.text());
  return { status: response.status, body: { ...Object(parsed) }, retryAfter };
}

const DEPOSIT = { kind: 'deposit', player: 'player-1', currency: 'EUR', amount: 5 };

describe('the upgrade', () => {
  it.each([
    ['no key', '', 'kassa.v1', '401'],
    ['an unknown client', 'Bearer nobody.secret', 'kassa.v1', '401'],
    ['a wrong secret', 'Bearer demo.secret', 'kassa.v1', '401'],
    ['another scheme', 'Basic abc', 'kassa.v1', '401'],
    ['another subprotocol', undefined, 'kassa.v2', '400'],
  ])('with %s is refused', async (_, authorization, protocol, status) => {
    const stream = new Stream(authorization, protocol);
    expect(await stream.opened()).toContain(status);
  });

  it('is followed by a hello that names the client and its limits', async () => {
    const stream = new Stream();
    expect(await stream.opened()).toBe('open');
    const [type, requestId, hello] = await stream.answer(1);
    expect([type, requestId]).toEqual([0, 0]);
    expect(hello).toMatchObject({
      protocol: 'kassa.v1',
      operator: 'demo',
      lanes: 1,
      limits: { batchTransactions: 10_000, atomicTransactions: 1_000, frameBytes: FRAME_BYTES_MAX },
    });
    stream.socket.close();
  });
});

describe('a stream', () => {
  it('with the disk held gets not one byte, whatever it asks, nor does HTTP', async () => {
    const stream = new Stream();
    await stream.opened();
    await stream.answer(1);
    const [port] = server.commitPorts;
    holdCommits(port);
    const bet = [Kind.bet, 'held-1', 'player-1', 'EUR', 1];
    stream.send([1, 1, [bet, bet]]);
    stream.send([1, 2, [[...bet.slice(0, 4), 2]]]);
    stream.send([3, 3, [['player-1', 'EUR']]]);
    stream.send([4, 4]);
    await pause(QUIET_MS);
    let isHttpAnswered = false;
    const read = http('/v1/accounts/player-1/EUR').then((result) => {
      isHttpAnswered = true;
      return result;
    });
    await pause(QUIET_MS);
    expect([stream.answers.length, isHttpAnswered]).toEqual([1, false]);
    releaseCommits(port);
    await stream.answer(5);
    expect(stream.answers.slice(1).map((answer) => answer[1])).toEqual([1, 2, 3, 4]);
    expect((await read).status).toBe(200);
    stream.socket.close();
  });

  it('is closed with 4400 by a text frame and by what is no request', async () => {
    for (const message of ['text', Buffer.from([0x80])]) {
      const stream = new Stream();
      await stream.opened();
      stream.socket.send(message);
      expect(await stream.closed).toBe(4400);
    }
  });

  it('is cut by a frame above the limit, and the server goes on', async () => {
    const stream = new Stream();
    await stream.opened();
    stream.socket.send(Buffer.alloc(FRAME_BYTES_MAX + 1));
    expect(await stream.closed).toBe(1006);
    expect((await http('/v1/accounts/player-1/EUR')).status).toBe(200);
  });

  it('that sends and never reads is closed, and others go on', async () => {
    const stream = new Stream();
    await stream.opened();
    await stream.answer(1);
    stream.socket.pause();
    const bet = [Kind.bet, 'slow', 'player-1', 'EUR', 0];
    const frame = packr.pack([1, 1, new Array(1_000).fill(bet)]);
    // The server has stopped reading, which it only does behind a close, when sends pile up here.
    for (let sent = 0; sent < 6_000; sent += 1) {
      stream.socket.send(frame);
      if (sent % 5 === 4) await pause(1);
      if (stream.socket.bufferedAmount > UNSENT_BYTES) break;
    }
    stream.socket.resume();
    const code = await stream.closed;
    expect([4408, 1006]).toContain(code);
    expect((await http('/v1/accounts/player-1/EUR')).status).toBe(200);
  }, 30_000);
});

describe('HTTP', () => {
  it('a single transaction is answered by named fields, and a repeat is marked', async () => {
    const first = await http('/v1/transactions', { ...DEPOSIT, transactionId: 'h1' });
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ code: 0, name: 'ok', recorded: true, replay: false });
    expect(first.body).toMatchObject({ moved: { cash: 5, bonus: 0 } });
    expect(Number(first.body.position)).toBeGreaterThan(0);
    const second = await http('/v1/transactions', { ...DEPOSIT, transactionId: 'h1' });
    expect(second.body).toMatchObject({ ...first.body, replay: true });
  });

  it.each<[string, unknown, number, string]>([
    [
      'no funds',
      { ...DEPOSIT, kind: 'withdraw', transactionId: 's1', amount: 1e12 },
      409,
      'insufficient_funds',
    ],
    ['no account', { ...DEPOSIT, transactionId: 's2', player: 'nobody' }, 404, 'account_not_found'],
    [
      'no bet',
      { ...DEPOSIT, kind: 'win', transactionId: 's3', reference: 'x' },
      404,
      'bet_not_found',
    ],
    [
      'an unknown currency',
      { ...DEPOSIT, transactionId: 's4', currency: 'XXX' },
      400,
      'unknown_currency',
    ],
    ['an unknown kind', { ...DEPOSIT, transactionId: 's5', kind: 'tip' }, 400, 'unknown_kind'],
    ['an unknown field', { ...DEPOSIT, transactionId: 's6', amout: 4 }, 400, 'malformed'],
    ['an amount as text', { ...DEPOSIT, transactionId: 's7', amount: '5' }, 400, 'malformed'],
    ['a fraction', { ...DEPOSIT, transactionId: 's8', amount: 1.5 }, 400, 'malformed'],
    [
      'an amount beyond 2^53',
      { ...DEPOSIT, transactionId: 's9', amount: 2 ** 53 },
      400,
      'amount_out_of_range',
    ],
    ['an id of 65 bytes', { ...DEPOSIT, transactionId: 'x'.repeat(65) }, 400, 'id_too_long'],
    ['a lone surrogate', { ...DEPOSIT, transactionId: 'a\ud800' }, 400, 'malformed'],
    [
      'a kind without permission',
      { ...DEPOSIT, kind: 'adjust', transactionId: 's10', reason: 'r' },
      403,
      'forbidden',
    ],
    ['another body', { ...DEPOSIT, transactionId: 'h1', amount: 6 }, 409, 'key_conflict'],
    [
      'too much metadata',
      { ...DEPOSIT, transactionId: 's11', metadata: 'm'.repeat(257) },
      400,
      'too_large',
    ],
  ])('%s: the status and the name', async (_, body, status, name) => {
    const result = await http('/v1/transactions', body);
    expect([result.status, result.body.name]).toEqual([status, name]);
  });

  it('a batch is 200 whatever its outcomes; an atomic one is all or nothing', async () => {
    const lines = [
      { ...DEPOSIT, transactionId: 'b1' },
      { ...DEPOSIT, transactionId: 'b2', kind: 'withdraw', amount: 1e12 },
    ];
    const independent = await http('/v1/transactions', { transactions: lines });
    expect(independent.status).toBe(200);
    expect(independent.body.outcomes).toMatchObject([{ code: 0 }, { code: 10 }]);
    const renamed = lines.map((line) => ({ ...line, transactionId: `a${line.transactionId}` }));
    const atomic = await http('/v1/transactions', { transactions: renamed, atomic: true });
    expect(atomic.body.outcomes).toMatchObject([{ code: 27 }, { code: 10 }]);
  });

  it.each<[string, string, unknown, Record<string, string>, number]>([
    ['no JSON', '/v1/transactions', '{', {}, 400],
    ['a list', '/v1/transactions', [], {}, 400],
    ['an empty batch', '/v1/transactions', { transactions: [] }, {}, 400],
    ['a batch with more', '/v1/transactions', { transactions: [], what: 1 }, {}, 400],
    ['another content type', '/v1/transactions', 'x', { 'content-type': 'text/plain' }, 415],
    ['a body above the limit', '/v1/transactions', 'x'.repeat(FRAME_BYTES_MAX + 1), {}, 413],
    ['a wrong key', '/v1/transactions', DEPOSIT, { authorization: 'Bearer a.b' }, 401],
    ['another path', '/v2/transactions', DEPOSIT, {}, 404],
    ['another method', '/v1/accounts/player-1/EUR', DEPOSIT, {}, 405],
    ['no upgrade', '/v1/stream', DEPOSIT, {}, 400],
  ])('%s is refused as JSON with code, name and text', async (_, path, body, headers, status) => {
    const result = await http(path, body, headers);
    expect(result.status).toBe(status);
    expect(Object.keys(result.body)).toEqual(['code', 'name', 'text']);
  });

  it.each([
    ['/v1/accounts/player-1/EUR', 200],
    ['/v1/accounts/nobody/EUR', 404],
    ['/v1/accounts/player-1/XXX', 400],
    ['/v1/accounts/%FF/EUR', 400],
    [`/v1/accounts/${'x'.repeat(65)}/EUR`, 400],
  ])('GET %s is %i', async (path, status) => {
    expect((await http(path)).status).toBe(status);
  });

  it('msgpack bodies get the answer as a stream would', async () => {
    const response = await fetch(`${base}/v1/transactions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/msgpack' },
      body: packr.pack([1, 77, [[Kind.deposit, 'm1', 'player-1', 'EUR', 3]]]),
    });
    const answer = unpackr.unpack(Buffer.from(await response.arrayBuffer()));
    expect([response.status, answer[0], answer[1], answer[3][0][0]]).toEqual([200, 1, 77, 0]);
  });

  it('a request that is aborted at any moment harms nobody', async () => {
    const head = `POST /v1/transactions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n`;
    const body = JSON.stringify({ ...DEPOSIT, transactionId: 'abort' });
    const type = 'content-type: application/json';
    const whole = `${head}${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    for (const cut of [10, head.length + 60, whole.length - 5, whole.length]) {
      const socket = connect(server.port, '127.0.0.1');
      await new Promise((resolve) => socket.write(whole.slice(0, cut), resolve));
      socket.destroy();
    }
    const aborted = request(`${base}/v1/accounts/player-1/EUR`, {
      headers: { authorization: `Bearer ${key}` },
    });
    aborted.on('error', () => undefined);
    aborted.end();
    aborted.destroy();
    expect((await http('/v1/accounts/player-1/EUR')).status).toBe(200);
  });
});
