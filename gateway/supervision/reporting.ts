// Reporting as main sees it: the Postgres, if it is the embedded one, and the thread that writes to
// it. Started behind a server that takes transactions already, and stopped after it. Whatever goes
// wrong with Postgres is told and tried again; it never ends the server. Main thread only, which an
// embedded Postgres dies with.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { connectionSettings } from '../../persist/postgres/connection-settings.ts';
import { EmbeddedCluster } from '../../persist/postgres/embedded-cluster.ts';
import type { ReporterThreadData } from '../reporter-thread.ts';
import type { ThreadEvents } from './lane-worker.ts';
import { ReporterWorker } from './reporter-worker.ts';

/** What Postgres shows the reporter's session as. */
export const REPORTER_NAME = 'kassa reporter';
const FIRST_WAIT_MS = 500;
const WAIT_MS_MAX = 30_000;
/** A cluster that ran for so long did not fail at its start. */
const STEADY_MS = 60_000;
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
  readonly #worker: ReporterWorker;
  readonly #stopping = new AbortController();
  #cluster: EmbeddedCluster | null = null;
  #embedded: Promise<void> = Promise.resolve();

  /** Starts both; returns at once. */
  constructor(options: ReportingOptions) {
    this.#options = options;
    const { thread, log, events, postgresUrl } = options;
    this.#worker = new ReporterWorker(thread, log, {
      onError: events.onError,
      onEnd: (exitCode) => {
        if (!this.#stopping.signal.aborted) events.onEnd(exitCode);
      },
    });
    if (postgresUrl === undefined) this.#embedded = this.#keepCluster();
    else this.#worker.connect(connectionSettings(postgresUrl, REPORTER_NAME));
  }

  /** Ends the thread after its last snapshot, then Postgres; waits for both, but not for ever. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return this.#embedded;
    this.#stopping.abort();
    this.#worker.stop();
    await within(REPORTER_STOP_MS, this.#worker.ended);
    await within(POSTGRES_STOP_MS, this.#stopPostgres());
  }

  async #stopPostgres(): Promise<void> {
    await this.#cluster?.stop();
    await this.#embedded;
  }

  /** Starts the embedded Postgres, and again whenever it ends by itself. */
  async #keepCluster(): Promise<void> {
    const { log, thread } = this.#options;
    const { signal } = this.#stopping;
    let waitMs = FIRST_WAIT_MS;
    while (!signal.aborted) {
      const startedAtMs = performance.now();
      const ended = Promise.withResolvers<string>();
      try {
        const cluster = await EmbeddedCluster.start({
          dataFolder: thread.dataFolder,
          onLine: (line) => log.debug({ line }, 'embedded Postgres'),
          onExit: ended.resolve,
        });
        this.#cluster = cluster;
        const { host, user, database } = cluster.connection;
        log.info({ host, user, database }, 'embedded Postgres answers');
        if (signal.aborted) return await cluster.stop();
        this.#worker.connect({ ...cluster.connection, application_name: REPORTER_NAME });
        const reason = await Promise.race([ended.promise, aborted(signal)]);
        if (signal.aborted) return;
        this.#cluster = null;
        log.error({ reason }, 'the embedded Postgres ended; it is started again');
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.error({ reason, inMs: waitMs }, 'reporting is not available');
      }
      if (performance.now() - startedAtMs > STEADY_MS) waitMs = FIRST_WAIT_MS;
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, WAIT_MS_MAX);
    }
  }
}

/** Waits for an end, not for longer than this. */
async function within(timeoutMs: number, end: Promise<void>): Promise<void> {
  await Promise.race([end, sleep(timeoutMs, undefined, { ref: false })]);
}

function aborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('');
    signal.addEventListener('abort', () => resolve(''), { once: true });
  });
}
