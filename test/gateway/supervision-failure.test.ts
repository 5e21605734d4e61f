// Law 7 with a real server in this process: what happens when a thread gives a reason to stop, and
// when a stop cannot come to its end.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfiguration } from '../../gateway/configuration-source.ts';
import { type RunningServer, startServer } from '../../gateway/server.ts';
import { ExitCode } from '../../persist/exit-codes.ts';

const KILL_MS_MAX = 1_000;
const STOP_MS_MAX = 5_000;

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kassa-failure-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function start(settings: Record<string, string>, holdCommits: boolean): Promise<RunningServer> {
  const configuration = readConfiguration({
    KASSA_DATA: folder,
    KASSA_PORT: '0',
    KASSA_REPORTING: 'off',
    KASSA_ADMIN_PORT: '0',
    KASSA_LOG_LEVEL: 'silent',
    ...settings,
  });
  return startServer(configuration, { holdCommits });
}

function connect(port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}

async function isAnswered(adminPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${adminPort}/healthz`)).ok;
  } catch {
    return false;
  }
}

test('a failure closes sockets, tells its reason, ends within a second', async () => {
  const server = await start({}, false);
  const socket = await connect(server.port);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const startedMs = performance.now();
  server.fail('a test', new Error('the reason of the test'));
  expect(await server.exited).toEqual({ exitCode: ExitCode.unexpected, isHung: false });
  expect(performance.now() - startedMs).toBeLessThan(KILL_MS_MAX);
  await closed;
  expect(readFileSync(join(folder, 'last-error'), 'utf8')).toContain('the reason of the test');
  await expect(connect(server.port)).rejects.toThrow('ECONNREFUSED');
  expect(await isAnswered(server.adminPort)).toBe(false);
});

test('the first failure’s reason and code stay, whatever follows', async () => {
  const server = await start({}, false);
  server.fail('a test', new Error('the first reason'));
  server.fail('a test', new Error('the second reason'));
  expect((await server.stop()).exitCode).toBe(ExitCode.unexpected);
  expect(readFileSync(join(folder, 'last-error'), 'utf8')).toContain('the first reason');
});

test('a stop that cannot commit fails within 5 s rather than answering or hanging', async () => {
  const server = await start({ KASSA_DEMO: 'off' }, true);
  const startedMs = performance.now();
  // The record of the retention waits for the disk that never takes it.
  const { exitCode } = await server.stop();
  expect(exitCode).toBe(ExitCode.unexpected);
  expect(performance.now() - startedMs).toBeLessThan(STOP_MS_MAX + KILL_MS_MAX);
  expect(readFileSync(join(folder, 'last-error'), 'utf8')).toContain('main: stopping');
});

test('a clean stop gives the folder back: the next start in this process takes it', async () => {
  for (let time = 0; time < 2; time += 1) {
    const server = await start({ KASSA_DEMO: 'off' }, false);
    expect(await server.stop()).toEqual({ exitCode: ExitCode.clean, isHung: false });
    expect(await server.stop()).toEqual({ exitCode: ExitCode.clean, isHung: false });
  }
});

test('a start that is cancelled ends with code 0 and gives the folder back', async () => {
  const cancel = new AbortController();
  const configuration = readConfiguration({
    KASSA_DATA: folder,
    KASSA_PORT: '0',
    KASSA_REPORTING: 'off',
    KASSA_ADMIN_PORT: '0',
    KASSA_LOG_LEVEL: 'silent',
  });
  const starting = startServer(configuration, {
    cancel: cancel.signal,
    onAdminListening: () => cancel.abort(),
  });
  await expect(starting).rejects.toMatchObject({ exitCode: ExitCode.clean });
  const server = await start({ KASSA_DEMO: 'off' }, false);
  expect((await server.stop()).exitCode).toBe(ExitCode.clean);
});
