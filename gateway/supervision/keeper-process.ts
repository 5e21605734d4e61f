// Main's handle on the process that keeps the embedded Postgres (postgres-keeper.ts). Main only.
import { type ChildProcess, fork } from 'node:child_process';
import type { Logger } from 'pino';
import { clusterFolderOf } from '../../persist/postgres/cluster-folder.ts';
import {
  type EmbeddedConnection,
  openSocketFolder,
  type SocketFolder,
} from '../../persist/postgres/cluster-socket.ts';
import type { FromKeeper, ToKeeper } from '../postgres-keeper.ts';

const PROGRAM = new URL('../postgres-keeper.ts', import.meta.url);
/** Somebody ended it: not at once again, since starting it costs the lanes some time. */
const AGAIN_MS = 5_000;

/** What the keeper needs. */
export interface KeeperOptions {
  readonly dataFolder: string;
  readonly log: Logger;
  /** Called each time when Postgres was started and answers. */
  readonly onUp: (connection: EmbeddedConnection) => void;
}

/** The keeper; made early, while this process has little memory. */
export class KeeperProcess {
  readonly #options: KeeperOptions;
  readonly #ended = Promise.withResolvers<void>();
  /** Null while there is none. */
  #child: ChildProcess | null = null;
  #socket: SocketFolder | null = null;
  #isStarted = false;
  #isStopping = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#make();
  }

  /** Has it start Postgres, and keep it running from now on. */
  start(): void {
    this.#isStarted = true;
    this.#tell({ type: 'start' });
  }

  /** Has it end Postgres; resolves when both are gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#child?.connected === true) this.#tell({ type: 'stop' });
    else this.#ended.resolve();
    await this.#ended.promise;
    this.#socket?.close();
    this.#socket = null;
  }

  /** Whatever keeps it from being made (too many files, no memory) is tried again, never thrown. */
  #make(): void {
    try {
      const child = fork(PROGRAM, [this.#options.dataFolder], {
        // Outside the terminal's group: Ctrl-C is main's.
        detached: true,
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      this.#child = child;
      this.#listen(child);
    } catch (error) {
      this.#takeEnd(String(error));
    }
    if (this.#isStarted) this.start();
  }

  #listen(child: ChildProcess): void {
    const { log } = this.#options;
    child.on('message', (message: FromKeeper) => {
      if (message.type === 'up') this.#takeUp(child);
      else log[message.level](message.fields, message.text);
    });
    child.on('error', (error) => {
      // One that was not made has no exit.
      if (child.pid === undefined) this.#takeEnd(error.message);
      else log.error({ reason: error.message }, 'the keeper of the embedded Postgres failed');
    });
    child.once('exit', (exitCode, signal) => this.#takeEnd(String(exitCode ?? signal)));
  }

  /** A new way to the socket each time: the folder may be another one. */
  #takeUp(child: ChildProcess): void {
    try {
      this.#socket?.close();
      this.#socket = null;
      this.#socket = openSocketFolder(clusterFolderOf(this.#options.dataFolder));
      this.#options.onUp(this.#socket.connection);
    } catch (error) {
      this.#options.log.error({ reason: String(error) }, 'no way to the embedded Postgres');
      // So all of it is tried again.
      child.kill('SIGKILL');
    }
  }

  #takeEnd(end: string): void {
    this.#child = null;
    if (this.#isStopping) {
      this.#ended.resolve();
      return;
    }
    const { log } = this.#options;
    log.error({ end, inMs: AGAIN_MS }, 'the process that keeps the embedded Postgres ended');
    setTimeout(() => {
      if (!this.#isStopping) this.#make();
    }, AGAIN_MS).unref();
  }

  #tell(message: ToKeeper): void {
    // It may have just ended: `exit` follows.
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }
}
