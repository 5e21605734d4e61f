// A throw-away Postgres server of its own for tests: TCP on a free port of 127.0.0.1, its folder
// under the system's temporary folder. It can be stopped, killed and started again in the middle of
// a load, and keeps port and folder. It ends with the test's process, however that ends; its folder
// goes with remove(), which a test calls at its end, and else when the process exits.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { findEmbeddedBinaries } from '../../persist/postgres/embedded-binaries.ts';
import { embeddedCommand, NOBODY_ID } from '../../persist/postgres/embedded-command.ts';
import { SessionWeights } from '../../persist/postgres/session-weights.ts';

/** Where Debian's package postgresql-15 has its programs. */
const DEBIAN_FOLDER = '/usr/lib/postgresql/15';
const READY_TIMEOUT_MS = 20_000;
const POLL_MS = 20;
const isRoot = process.geteuid?.() === 0;

/** Whose programs run: those of the npm package, or those of Debian's package. */
export type PostgresKind = 'embedded' | 'debian';

/** What a server can be asked for. */
export interface PostgresServerOptions {
  /** PEM of the server's certificate and key; without it the server speaks no TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** How sessions prove who they are; a password by default. */
  readonly authentication?: 'scram-sha-256' | 'trust';
  /** Further settings, such as `{ max_connections: '10' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** True if Debian's Postgres 15 is installed; a test that needs it is skipped by name otherwise. */
export function hasDebianPostgres(): boolean {
  return existsSync(join(DEBIAN_FOLDER, 'bin', 'postgres'));
}

/** One server. */
export class PostgresServer {
  /** For connecting as superuser `kassa` to the database `kassa`; holds the password. */
  readonly url: string;
  readonly port: number;
  readonly #kind: PostgresKind;
  readonly #folder: string;
  readonly #arguments: readonly string[];
  readonly #cluster: string;
  readonly #removeAtExit = (): void => {
    this.#process?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  };
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #output = '';

  private constructor(kind: PostgresKind, port: number, options: PostgresServerOptions) {
    const password = randomBytes(12).toString('hex');
    this.#kind = kind;
    this.port = port;
    this.url = `postgresql://kassa:${password}@127.0.0.1:${port}/kassa`;
    this.#folder = mkdtempSync(join(tmpdir(), 'kassa-postgres-'));
    this.#cluster = join(this.#folder, 'cluster');
    process.once('exit', this.#removeAtExit);
    this.#makeCluster(options.authentication ?? 'scram-sha-256', password);
    const settings: Readonly<Record<string, string>> = {
      port: String(port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      shared_buffers: '32MB',
      // A test kills processes, never the machine: what was written is in the page cache.
      fsync: 'off',
      ...(options.tls === undefined ? {} : { ssl: 'on' }),
      ...options.settings,
    };
    this.#arguments = Object.entries(settings).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    if (options.tls !== undefined) {
      writeOwnFile(join(this.#cluster, 'server.crt'), options.tls.certificate);
      writeOwnFile(join(this.#cluster, 'server.key'), options.tls.key);
    }
  }

  /** Makes a server and resolves once it answers; the caller removes it. */
  static async start(
    kind: PostgresKind,
    options: PostgresServerOptions = {},
  ): Promise<PostgresServer> {
    const server = new PostgresServer(kind, await findFreePort(), options);
    try {
      await server.restart();
      await server.#makeDatabase();
      return server;
    } catch (error) {
      await server.remove();
      throw error;
    }
  }

  /** Process id of the postmaster; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What it wrote to its log since it was started. */
  get output(): string {
    return this.#output;
  }

  /** Stops the server as an operator does, which ends all sessions; keeps port and folder. */
  async stop(): Promise<void> {
    this.#process?.kill('SIGINT');
    await this.#ended;
  }

  /** Ends all of its processes at once, as a crash does; keeps port and folder. */
  async kill(): Promise<void> {
    // The others notice that the postmaster is gone, and end.
    this.#process?.kill('SIGKILL');
    await this.#ended;
  }

  /** Starts it on the same port and folder, after stopping it if it runs; resolves when ready. */
  async restart(): Promise<void> {
    await this.stop();
    this.#output = '';
    this.#launch();
    await this.#waitUntilReady();
  }

  /** Ends the server without ceremony and removes its folder. */
  async remove(): Promise<void> {
    this.#process?.kill('SIGQUIT');
    await this.#ended;
    process.off('exit', this.#removeAtExit);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #launch(): void {
    const [program, ...parts] = this.#command('postgres', this.#arguments);
    const child = spawn(program, parts, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    this.#process = child;
    // On the machine of the Kassa under test it gives way, as an embedded one does.
    const weights = child.pid === undefined ? undefined : new SessionWeights(child.pid);
    const note = (data: unknown): void => {
      this.#output += String(data);
    };
    child.stderr.on('data', note);
    child.once('error', note);
    // Its children hold the same pipe, so at `close` all of them are gone.
    this.#ended = new Promise((resolve) => {
      child.once('close', () => {
        this.#process = undefined;
        weights?.stop();
        resolve();
      });
    });
  }

  async #waitUntilReady(): Promise<void> {
    const deadlineMs = performance.now() + READY_TIMEOUT_MS;
    while (this.#process !== undefined && performance.now() < deadlineMs) {
      if (this.#output.includes('database system is ready to accept connections')) return;
      await sleep(POLL_MS);
    }
    throw new Error(`The Postgres server did not start:\n${this.#output}`);
  }

  async #makeDatabase(): Promise<void> {
    const client = new Client({ connectionString: this.url.replace(/kassa$/, 'postgres') });
    await client.connect();
    await client.query('create database kassa');
    await client.end();
  }

  #makeCluster(authentication: string, password: string): void {
    mkdirSync(this.#cluster, { mode: 0o700 });
    if (isRoot) {
      for (const path of [this.#folder, this.#cluster]) chownSync(path, NOBODY_ID, NOBODY_ID);
    }
    const passwordFile = join(this.#folder, 'password');
    writeOwnFile(passwordFile, password);
    const [program, ...parts] = this.#command('initdb', [
      ...['--username=kassa', `--pwfile=${passwordFile}`, `--auth=${authentication}`],
      ...['--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    ]);
    const result = spawnSync(program, parts, { encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`initdb failed:\n${result.stdout}${result.stderr}`);
  }

  #command(
    program: 'initdb' | 'postgres',
    arguments_: readonly string[],
  ): readonly [string, ...string[]] {
    if (this.#kind === 'embedded') {
      const { nativeFolder } = findEmbeddedBinaries();
      const clusterFolder = this.#cluster;
      return embeddedCommand({
        ...{ program, nativeFolder, clusterFolder, isRoot },
        arguments: arguments_,
      });
    }
    const identity = ['--reuid', String(NOBODY_ID), '--regid', String(NOBODY_ID), '--clear-groups'];
    return [
      'setpriv',
      ...(isRoot ? identity : []),
      ...['--pdeathsig', 'INT', '--', join(DEBIAN_FOLDER, 'bin', program), '-D', this.#cluster],
      ...arguments_,
    ];
  }
}

/** Writes a file that only the server may read. */
function writeOwnFile(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
  if (isRoot) chownSync(file, NOBODY_ID, NOBODY_ID);
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('The system gave no port');
  return address.port;
}
