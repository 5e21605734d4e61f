// Main's handle on one lane's thread: starts it, hands it the few messages of its life, and says
// when it has ended. Nothing here is on the path of a client's transaction. Main thread only.
//
//   new LaneWorker ─▶ recovered ─▶ run() ─▶ listening ─▶ submit()* ─▶ stop() ─▶ ended
import { Worker } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import type { LogEnd } from '../../persist/log-chain.ts';
import type { FromLane, LaneThreadData, ToLane } from '../lane/lane-messages.ts';

/** What the supervisor hears of a thread beside its messages. */
export interface ThreadEvents {
  /** An error that the thread did not catch itself. */
  onError(error: unknown): void;
  /** The thread ended; expected only after it was told to stop. */
  onEnd(exitCode: number): void;
}

/** One lane's thread. */
export class LaneWorker {
  /** Resolves with the end of the log once the state is rebuilt. */
  readonly recovered: Promise<LogEnd>;
  /** Resolves with the port that clients connect to. */
  readonly listening: Promise<number>;
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #submitted = new Map<number, (answer: Uint8Array) => void>();
  #submitCount = 0;

  constructor(data: LaneThreadData, events: ThreadEvents) {
    const recovered = Promise.withResolvers<LogEnd>();
    const listening = Promise.withResolvers<number>();
    const ended = Promise.withResolvers<void>();
    this.recovered = recovered.promise;
    this.listening = listening.promise;
    this.ended = ended.promise;
    this.#worker = new Worker(new URL('../lane-thread.ts', import.meta.url), { workerData: data });
    this.#worker.on('error', (error) => events.onError(error));
    this.#worker.on('exit', (exitCode) => {
      ended.resolve();
      events.onEnd(exitCode);
    });
    this.#worker.on('message', (message: FromLane) => {
      if (message.type === 'recovered') recovered.resolve(message.end);
      else if (message.type === 'listening') listening.resolve(message.port);
      else if (message.type === 'submitted') this.#settle(message.id, message.answer);
    });
  }

  /** Lets the lane listen and decide; the log writer runs by now. */
  run(): void {
    this.#send({ type: 'run' });
  }

  /** Has the lane decide one request frame with every permission; the answer is durable. */
  submit(frame: Uint8Array): Promise<Uint8Array> {
    this.#submitCount += 1;
    const id = this.#submitCount;
    const answer = new Promise<Uint8Array>((resolve) => this.#submitted.set(id, resolve));
    this.#send({ type: 'submit', id, frame });
    return answer;
  }

  /** Has the lane answer what it took, close its sockets and end. */
  stop(): void {
    this.#send({ type: 'stop' });
  }

  /** Ends a lane that does not listen yet; with sockets open this would abort the process. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(id: number, answer: Uint8Array): void {
    const resolve = this.#submitted.get(id);
    assert(resolve !== undefined, 'a lane answers each submitted frame once');
    this.#submitted.delete(id);
    resolve(answer);
  }

  #send(message: ToLane): void {
    this.#worker.postMessage(message);
  }
}
