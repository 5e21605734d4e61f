// One data folder and the servers that run on it one after the other, on one port: each run is
// ended by a signal, and between two runs the log is read. The test that makes it calls `remove`.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KassaProcess, type ProcessEnd } from '../support/kassa-process.ts';
import { type ReadLog, readLogRecords } from './log-records.ts';
import { makeSeededFolder } from './seeded-folder.ts';

/** The smallest that the configuration allows, so that segments turn over within a test. */
const SEGMENT_BYTES = 4_194_304;

/** The runs on one folder. */
export class ServerRuns {
  readonly folder: string;
  readonly port: number;
  /** Last sequence in the log when each run started. */
  readonly sequencesBefore: number[] = [];
  readonly #parent: string;
  #server: KassaProcess | undefined;
  #log: ReadLog | undefined;

  private constructor(parent: string, port: number) {
    this.#parent = parent;
    this.folder = join(parent, 'data');
    this.port = port;
  }

  /** Makes the folder; starts nothing. */
  static async prepare(): Promise<ServerRuns> {
    const runs = new ServerRuns(
      mkdtempSync(join(tmpdir(), 'kassa-durability-')),
      await findFreePort(),
    );
    makeSeededFolder(runs.folder);
    return runs;
  }

  /** The server that runs, or ran last. */
  get server(): KassaProcess {
    if (this.#server === undefined) throw new Error('no server was started');
    return this.#server;
  }

  /** Number of the present run, from 0. */
  get currentRun(): number {
    return this.sequencesBefore.length - 1;
  }

  /** Starts a server; it may not listen yet. */
  start(wrapper: readonly string[] = []): KassaProcess {
    this.sequencesBefore.push(this.readLog().shard.sequence);
    const settings = {
      KASSA_PORT: String(this.port),
      KASSA_DEMO: 'off',
      KASSA_SEGMENT_BYTES: String(SEGMENT_BYTES),
    };
    this.#server = new KassaProcess(this.folder, settings, wrapper);
    return this.#server;
  }

  /** Ends the present run. */
  end(signal: NodeJS.Signals): Promise<ProcessEnd> {
    this.#log = undefined;
    return this.server.end(signal);
  }

  /** The log as the last run left it; only between two runs. */
  readLog(): ReadLog {
    this.#log ??= readLogRecords(this.folder);
    return this.#log;
  }

  /** Ends what runs, and removes the folder. */
  async remove(): Promise<void> {
    await this.#server?.end('SIGKILL');
    rmSync(this.#parent, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * A port that stays free between two runs: below those that Linux gives to outgoing connections,
 * one of which would take the place of a server that is down.
 */
async function findFreePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
