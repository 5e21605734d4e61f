// The process from outside: a first start, stops, restarts, refusals, each with a real server.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ExitCode } from '../../persist/exit-codes.ts';
import { KassaProcess } from '../support/kassa-process.ts';

const DEPOSIT_MINOR = 10_000;
const STOP_MS_MAX = 5_000;
/** Into the records of a block, behind its header of 56 bytes. */
const CONTENT_OFFSET_BYTES = 60;

// Each test starts several processes; on a busy machine a start alone takes seconds.
vi.setConfig({ testTimeout: 60_000 });

let parent = '';
let folder = '';
const started: KassaProcess[] = [];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'kassa-process-'));
  folder = join(parent, 'data');
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.end('SIGKILL')));
  rmSync(parent, { recursive: true });
});

function start(settings: Readonly<Record<string, string>> = {}): KassaProcess {
  const server = new KassaProcess(folder, settings);
  started.push(server);
  return server;
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

class Client {
  readonly #base: string;
  readonly #headers: Record<string, string>;

  constructor(port: number) {
    const demo: { clientId: string; secret: string } = JSON.parse(
      readFileSync(join(folder, 'demo.json'), 'utf8'),
    );
    this.#base = `http://127.0.0.1:${port}`;
    this.#headers = {
      authorization: `Bearer ${demo.clientId}.${demo.secret}`,
      'content-type': 'application/json',
    };
  }

  async bet(transactionId: string, amount: number): Promise<Answer> {
    const transaction = { kind: 'bet', transactionId, player: 'player-1', currency: 'EUR', amount };
    const response = await fetch(`${this.#base}/v1/transactions`, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify(transaction),
    });
    return answerOf(response);
  }

  async cashMinor(): Promise<number> {
    const url = `${this.#base}/v1/accounts/player-1/EUR`;
    const { body } = await answerOf(await fetch(url, { headers: this.#headers }));
    return Number(Reflect.get(Object(body.balances), 'cash'));
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const body: Record<string, unknown> = JSON.parse(await response.text());
  return { status: response.status, body };
}

describe('a first start', () => {
  test('prints a bet that works when pasted, and is a repeat the second time', async () => {
    const server = start();
    const { port } = await server.listening();
    await server.waitForOutput('npm run example');
    const lines = /^ {2}(curl -s \S+\/v1\/transactions[\s\S]*?'\{.*\}')$/m.exec(server.output);
    const pasted = String(lines?.[1]);
    const answers: Record<string, unknown>[] = [];
    for (let time = 0; time < 2; time += 1) {
      const { stdout } = await promisify(execFile)('sh', ['-c', pasted]);
      answers.push(JSON.parse(stdout));
    }
    expect(answers[0]).toMatchObject({ name: 'ok', replay: false, balances: { cash: 9_750 } });
    expect(answers[1]).toMatchObject({ name: 'ok', replay: true, balances: { cash: 9_750 } });
    expect(await new Client(port).cashMinor()).toBe(9_750);
  });

  test('is followed by others that print the same text and know the bets', async () => {
    const settings = { KASSA_PORT: '0' };
    const first = start(settings);
    const { port } = await first.listening();
    await first.waitForOutput('npm run example');
    expect((await new Client(port).bet('one', 100)).body).toMatchObject({ name: 'ok' });
    expect((await first.end('SIGKILL')).exit).toBe('SIGKILL');

    const second = start(settings);
    const again = await second.listening();
    await second.waitForOutput('npm run example');
    const withoutPort = (text: string): string => text.replaceAll(/127\.0\.0\.1:\d+/g, 'address');
    expect(withoutPort(second.output)).toBe(withoutPort(first.output));
    const client = new Client(again.port);
    expect(await client.cashMinor()).toBe(DEPOSIT_MINOR - 100);
    expect((await client.bet('one', 100)).body).toMatchObject({ name: 'ok', replay: true });
  });

  test('that was cut short is finished by the next, with one deposit', async () => {
    await start().listening();
    await started[0].end('SIGKILL');
    const file = join(folder, 'demo.json');
    const demo: object = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...demo, complete: false }));
    const { port } = await start().listening();
    expect(await new Client(port).cashMinor()).toBe(DEPOSIT_MINOR);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ ...demo, complete: true });
  });

  test('without the demo makes no client and prints no key', async () => {
    const server = start({ KASSA_DEMO: 'off' });
    await server.listening();
    await server.waitForOutput('Kassa listens on http://127.0.0.1:');
    expect(server.output).not.toContain('key');
    expect(existsSync(join(folder, 'demo.json'))).toBe(false);
  });
});

describe('a stop', () => {
  test.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])('by %s exits 0', async (signal) => {
    const server = start();
    await server.listening();
    const { exit, elapsedMs } = await server.end(signal);
    expect(exit).toBe(0);
    expect(elapsedMs).toBeLessThan(STOP_MS_MAX);
    expect(existsSync(join(folder, 'last-error'))).toBe(false);
  });

  test('under load exits 0 within 5 s, and every bet that was answered is there', async () => {
    const server = start();
    const { port } = await server.listening();
    const client = new Client(port);
    let sent = 0;
    let answered = 0;
    let isOver = false;
    const senders = Array.from({ length: 16 }, async (_, sender) => {
      for (let number = 0; !isOver; number += 1) {
        sent += 1;
        const answer = await client.bet(`bet-${sender}-${number}`, 1).catch(() => undefined);
        if (answer === undefined || answer.status === 503) isOver = true;
        else if (answer.body.name === 'ok') answered += 1;
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 700));
    const { exit, elapsedMs } = await server.end('SIGTERM');
    isOver = true;
    await Promise.all(senders);
    expect(exit).toBe(0);
    expect(elapsedMs).toBeLessThan(STOP_MS_MAX);
    expect(answered).toBeGreaterThan(16);

    const again = await start().listening();
    const taken = DEPOSIT_MINOR - (await new Client(again.port).cashMinor());
    expect(taken).toBeGreaterThanOrEqual(answered);
    expect(taken).toBeLessThanOrEqual(sent);
  });

  test('before the server listens exits 0 too', async () => {
    const server = start();
    await server.waitForLog('admin port listens');
    const { exit } = await server.end('SIGTERM');
    expect(exit).toBe(0);
  });
});

describe('a start is refused', () => {
  test('on a folder that another server holds, which goes on', async () => {
    const { port } = await start().listening();
    const second = start();
    expect((await second.ended).exit).toBe(ExitCode.lock);
    expect(second.errors).toContain('another process holds its lock');
    expect((await new Client(port).bet('one', 1)).status).toBe(200);
  });

  test('with a wrong setting, before a folder is made', async () => {
    const server = start({ KASSA_SEGMENT_BYTES: '1' });
    expect((await server.ended).exit).toBe(ExitCode.configuration);
    expect(server.errors).toContain('Cannot start because KASSA_SEGMENT_BYTES must be');
    expect(existsSync(folder)).toBe(false);
  });

  test('with a port that is taken, by name', async () => {
    const { port } = await start().listening();
    const other = new KassaProcess(join(parent, 'other'), { KASSA_PORT: String(port) });
    started.push(other);
    expect((await other.ended).exit).toBe(ExitCode.configuration);
    expect(other.errors).toContain(`127.0.0.1:${port}. Set KASSA_HOST or KASSA_PORT`);
  });

  test('with a damaged log, naming the segment, and nothing is changed', async () => {
    const { port } = await start().listening();
    await new Client(port).bet('one', 1);
    await started[0].end('SIGTERM');
    const [segment] = readdirSync(join(folder, 'log'));
    const file = join(folder, 'log', segment, 'data.mdb');
    const bytes = readFileSync(file);
    // LMDB leaves old copies of small blocks on free pages: only damage to all of them is surely
    // read.
    for (let at = bytes.indexOf('KASB'); at >= 0; at = bytes.indexOf('KASB', at + 1)) {
      bytes[at + CONTENT_OFFSET_BYTES] ^= 1;
    }
    writeFileSync(file, bytes);

    const server = start();
    expect((await server.ended).exit).toBe(ExitCode.damagedLog);
    expect(server.errors).toContain(segment);
    expect(readFileSync(join(folder, 'last-error'), 'utf8')).toContain(segment);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });
});

test('/readyz is 503 with the reason until the server listens, then 200', async () => {
  const server = start();
  const starting = await server.waitForLog('admin port listens');
  const early = await fetch(`http://127.0.0.1:${Number(starting.adminPort)}/readyz`);
  expect(early.status).toBe(503);
  expect(await early.json()).toMatchObject({ ready: false, phase: 'recovering' });
  const { port, adminPort } = await server.listening();
  await new Client(port).bet('one', 1);
  const ready = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
  expect(ready.status).toBe(200);
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  expect(metrics).toContain('kassa_transactions_total{lane="0",kind="bet",code="ok"} 1');
  expect(metrics).toMatch(/kassa_durable_position [1-9]/);
  expect(metrics).toMatch(/kassa_commit_seconds_count [1-9]/);
  expect(metrics).toMatch(/kassa_answer_seconds_count\{lane="0"\} [1-9]/);
});
