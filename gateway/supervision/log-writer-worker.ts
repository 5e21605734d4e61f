// Main's handle on the log writer's thread. The thread ends by itself once every lane has closed
// its port and all blocks are on disk; after a failure it stands still until the process ends. Main
// thread only.
import { Worker } from 'node:worker_threads';
import type { LogWriterThreadData } from '../../persist/log-writer-thread.ts';
import type { ThreadEvents } from './lane-worker.ts';

/** The log writer's thread. */
export class LogWriterWorker {
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>;

  constructor(data: LogWriterThreadData, events: ThreadEvents) {
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    const thread = new URL('../../persist/log-writer-thread.ts', import.meta.url);
    const worker = new Worker(thread, { workerData: data });
    worker.on('error', (error) => events.onError(error));
    worker.on('exit', (exitCode) => {
      ended.resolve();
      events.onEnd(exitCode);
    });
  }
}
