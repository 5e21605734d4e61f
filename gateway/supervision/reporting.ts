// Reporting as main sees it: the keeper of the embedded Postgres, if it is that one, and the thread
// that writes to Postgres. Made before the server's memory is, started behind a server that takes
// transactions already, and stopped after it. Whatever goes wrong with Postgres is told and tried
// again; it never ends the server. Main thread only.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { connectionSettings } from '../../persist/postgres/connection-settings.ts';
import type { ReporterThreadData } from '../reporter-thread.ts';
import { KeeperProcess } from './keeper-process.ts';
import type { ThreadEvents } from './lane-worker.ts';
import { ReporterWorker } from './reporter-worker.ts';

/** What Postgres shows the reporter's session as. */
export const REPORTER_NAME = 'kassa reporter';
/**
 * A Postgres that is being started, or that writes its buffers for long, is left to its parent's
 * death, which ends it the same way.
 */
const POSTGRES_STOP_MS = 5_000;
/** The last snapshot at a stop; what it does not reach is reported at the next start. */
const REPORTER_STOP_MS = 3_000;

/** What reporting needs. */
export interface ReportingOptions {
  readonly thread: ReporterThreadData;
  /** Undefined: the embedded Postgres. */
  readonly postgresUrl: string | undefined;
  readonly log: Logger;
  readonly events: ThreadEvents;
}

/** The reporter and its Postgres. */
export class Reporting {
  readonly #options: ReportingOptions;
  readonly #keeper: KeeperProcess | null;
  #worker: ReporterWorker | null = null;
  #isStopping = false;

  /** Makes what has to be made early; nothing runs yet. */
  constructor(options: ReportingOptions) {
    this.#options = options;
    const { dataFolder } = options.thread;
    this.#keeper =
      options.postgresUrl === undefined
        ? new KeeperProcess({
            ...{ dataFolder, log: options.log },
            onUp: (connection) => {
              this.#worker?.connect({ ...connection, application_name: REPORTER_NAME });
            },
          })
        : null;
  }

  /** Starts both; returns at once. */
  start(): void {
    const { thread, log, events, postgresUrl } = this.#options;
    this.#worker = new ReporterWorker(thread, log, {
      onError: events.onError,
      onEnd: (exitCode) => {
        if (!this.#isStopping) events.onEnd(exitCode);
      },
    });
    this.#keeper?.start();
    if (postgresUrl === undefined) return;
    this.#worker.connect(connectionSettings(postgresUrl, REPORTER_NAME));
  }

  /** Ends the thread after its last snapshot, then Postgres; waits for both, but not for ever. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#worker?.stop();
    if (this.#worker !== null) await within(REPORTER_STOP_MS, this.#worker.ended);
    if (this.#keeper !== null) await within(POSTGRES_STOP_MS, this.#keeper.stop());
  }
}

/** Waits for an end, not for longer than this. */
async function within(timeoutMs: number, end: Promise<void>): Promise<void> {
  await Promise.race([end, sleep(timeoutMs, undefined, { ref: false })]);
}
