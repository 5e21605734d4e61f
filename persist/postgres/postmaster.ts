// The postmaster as a child process: its start, its readiness, its end. Main thread only, since the
// parent death signal that it is started with is bound to the thread that spawns it.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { assert } from '../../core/assert.ts';
import { FAST_SHUTDOWN_MS, IMMEDIATE_SHUTDOWN_MS } from './cluster-processes.ts';
import type { EmbeddedConnection } from './cluster-socket.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { launchError, MINIMAL_ENVIRONMENT } from './embedded-launch.ts';

/** Recovery after a crash reads up to max_wal_size; another start takes a tenth of a second. */
const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 30;
const ATTEMPT_TIMEOUT_MS = 5_000;

/** Lines kept for an error's text. */
const KEPT_LINES = 20;

/** How much of the log file is read for them; the whole file may be large. */
const READ_BYTES = 16_384;

/** How a process ended: its exit code, the signal's name, or why it could not be launched. */
type ProcessEnd = number | string | Error;

/** A log file as it was at one time. */
interface LogFile {
  readonly file: string;
  readonly bytes: number;
}

/** One run of the postmaster. */
export class Postmaster {
  /** Resolves when it and all of its processes are gone; they hold its standard error. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #clusterFolder: string;
  /** Where the log file ended before this run. */
  readonly #logBefore: LogFile | undefined;
  readonly #lines: string[] = [];
  #end: ProcessEnd | undefined;

  constructor(options: {
    readonly command: readonly [string, ...string[]];
    readonly clusterFolder: string;
    readonly onLine: (line: string) => void;
  }) {
    const [program, ...parts] = options.command;
    this.#clusterFolder = options.clusterFolder;
    this.#logBefore = findLogFile(options.clusterFolder);
    this.#child = spawn(program, parts, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: MINIMAL_ENVIRONMENT,
      // Outside the terminal's group: Ctrl-C is Kassa's, which stops Postgres when it is done.
      detached: true,
    });
    assert(this.#child.stderr !== null, 'standard error of the postmaster is a pipe');
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.#lines.push(line);
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
      options.onLine(line);
    });
    const ended = Promise.withResolvers<ProcessEnd>();
    this.ended = ended.promise;
    const end = (how: ProcessEnd): void => {
      this.#end ??= how;
      ended.resolve(how);
    };
    this.#child.on('error', end);
    this.#child.once('close', (code, signal) => end(code ?? signal ?? 'nothing'));
  }

  /** Process id; undefined if it could not be launched. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves once it answers a query; rejects when it ends before, or takes too long. */
  async ready(connection: EmbeddedConnection): Promise<void> {
    const deadlineMs = performance.now() + READY_TIMEOUT_MS;
    let lastError: unknown;
    while (performance.now() < deadlineMs) {
      if (this.#end !== undefined) throw launchError('start', this.#end, this.lastLines());
      try {
        await answer({ ...connection, database: 'postgres' });
        return;
      } catch (error) {
        lastError = error;
      }
      await Promise.race([sleep(READY_POLL_MS), this.ended]);
    }
    throw new EmbeddedPostgresError(
      `Cannot use the embedded Postgres because it gave no answer for ${READY_TIMEOUT_MS} ms: ` +
        `${this.lastLines().join('\n')}. If it is recovering after a crash, start again.`,
      { cause: lastError },
    );
  }

  /** Sends the signal, SIGQUIT if that was not enough, and resolves when it is gone. */
  async end(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    if (signal === 'SIGINT' && (await this.#endBy('SIGINT', FAST_SHUTDOWN_MS))) return;
    if (await this.#endBy('SIGQUIT', IMMEDIATE_SHUTDOWN_MS)) return;
    // Its processes notice that it is gone, and end.
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** The last lines that this run printed or wrote to its log file; for an error's text. */
  lastLines(): string[] {
    const log = findLogFile(this.#clusterFolder);
    const before = this.#logBefore?.file === log?.file ? (this.#logBefore?.bytes ?? 0) : 0;
    const logged = log === undefined ? [] : readLines(log, before);
    return [...this.#lines, ...logged].slice(-KEPT_LINES);
  }

  async #endBy(signal: NodeJS.Signals, waitMs: number): Promise<boolean> {
    this.#child.kill(signal);
    const waiting = new AbortController();
    const wait = sleep(waitMs, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([wait, this.ended]);
    waiting.abort();
    return this.#end !== undefined;
  }
}

async function answer(connection: EmbeddedConnection): Promise<void> {
  const client = new Client({ ...connection, connectionTimeoutMillis: ATTEMPT_TIMEOUT_MS });
  // A server that ends tells so by an event too; the query's rejection is what counts.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end();
  }
}

/** The log file that the collector writes; undefined before there was one. */
function findLogFile(clusterFolder: string): LogFile | undefined {
  const names = join(clusterFolder, 'current_logfiles');
  if (!existsSync(names)) return undefined;
  const name = /^stderr (.+)$/m.exec(readFileSync(names, 'utf8'))?.[1];
  const file = name === undefined ? undefined : join(clusterFolder, name);
  if (file === undefined || !existsSync(file)) return undefined;
  return { file, bytes: statSync(file).size };
}

/** The end of what one run wrote; the file is emptied when its weekday comes round again. */
function readLines(log: LogFile, before: number): string[] {
  const from = Math.max(log.bytes < before ? 0 : before, log.bytes - READ_BYTES);
  const bytes = Buffer.alloc(log.bytes - from);
  const descriptor = openSync(log.file, 'r');
  try {
    readSync(descriptor, bytes, 0, bytes.length, from);
  } finally {
    closeSync(descriptor);
  }
  return bytes.toString('utf8').split('\n').filter(Boolean);
}
