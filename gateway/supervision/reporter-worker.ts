// Main's handle on the reporter's thread. Main thread only.
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { FromReporter, ReporterThreadData, ToReporter } from '../reporter-thread.ts';
import type { ThreadEvents } from './lane-worker.ts';

/** The reporter's thread. */
export class ReporterWorker {
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;

  constructor(data: ReporterThreadData, log: Logger, events: ThreadEvents) {
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    this.#worker = new Worker(new URL('../reporter-thread.ts', import.meta.url), {
      workerData: data,
    });
    this.#worker.on('message', ({ level, text, fields }: FromReporter) => log[level](fields, text));
    this.#worker.on('error', (error) => events.onError(error));
    this.#worker.on('exit', (exitCode) => {
      ended.resolve();
      events.onEnd(exitCode);
    });
  }

  /** Has it report into this Postgres from now on. */
  connect(connection: Extract<ToReporter, { type: 'connect' }>['connection']): void {
    this.#send({ type: 'connect', connection });
  }

  /** Has it report what is durable, if that is little, and end. */
  stop(): void {
    this.#send({ type: 'stop' });
  }

  #send(message: ToReporter): void {
    this.#worker.postMessage(message);
  }
}
