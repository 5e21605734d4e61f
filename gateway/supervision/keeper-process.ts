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
  #child: ChildProcess;
  #socket: SocketFolder | null = null;
  #isStarted = false;
  #isStopping = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#child = this.#fork();
  }

  /** Has it start Postgres, and keep it running from now on. */
  start(): void {
    this.#isStarted = true;
    this.#tell({ type: 'start' });
  }

  /** Has it end Postgres; resolves when both are gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#child.connected) this.#tell({ type: 'stop' });
    else this.#ended.resolve();
    await this.#ended.promise;
  }

  #fork(): ChildProcess {
    const { dataFolder, log } = this.#options;
    const child = fork(PROGRAM, [dataFolder], {
      // Outside the terminal's group: Ctrl-C is main's.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', (message: FromKeeper) => {
      if (message.type === 'up') this.#takeUp();
      else log[message.level](message.fields, message.text);
    });
    child.on('error', (error) =>
      log.error({ reason: error.message }, 'the Postgres keeper failed'),
    );
    child.once('exit', (exitCode, signal) => this.#takeEnd(exitCode ?? signal));
    return child;
  }

  /** A new way to the socket each time: the folder may be another one. */
  #takeUp(): void {
    this.#socket?.close();
    this.#socket = openSocketFolder(clusterFolderOf(this.#options.dataFolder));
    this.#options.onUp(this.#socket.connection);
  }

  #takeEnd(end: number | string | null): void {
    if (this.#isStopping) {
      this.#ended.resolve();
      return;
    }
    const { log } = this.#options;
    log.error({ end, inMs: AGAIN_MS }, 'the process that keeps the embedded Postgres ended');
    setTimeout(() => {
      if (this.#isStopping) return;
      this.#child = this.#fork();
      if (this.#isStarted) this.start();
    }, AGAIN_MS).unref();
  }

  #tell(message: ToKeeper): void {
    // It may have just ended: `exit` follows.
    this.#child.send(message, () => undefined);
  }
}
