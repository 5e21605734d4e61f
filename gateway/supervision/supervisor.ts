// Runs the server's threads: the lane first, which rebuilds its state from the log; then the log
// writer, which goes on where the log ends; then the lane may listen. Watches both until the end.
// Main thread only. What always holds: the first reason to stop stops everything (design law 7),
// and a clean stop ends only after every taken transaction is answered. A crash leaves the log.
//
//   recover() ─▶ openLog() ─▶ listen() ─▶ stop() ─▶ exited with 0
//        └───────────┴────────────┴── any failure ─▶ exited with the reason's code
import type { Logger } from 'pino';
import { ExitCode, type ExitCodeValue } from '../../persist/exit-codes.ts';
import { stopProcess } from '../../persist/fatal.ts';
import type { LogEnd } from '../../persist/log-chain.ts';
import type { LogWriterThreadData } from '../../persist/log-writer-thread.ts';
import { isStopping, stopCode } from '../../persist/stop-signal.ts';
import type { Readiness } from '../admin/readiness.ts';
import type { LaneThreadData } from '../lane/lane-messages.ts';
import { LaneCounters, LaneGauge } from '../metrics/lane-counters.ts';
import { HeartbeatWatch } from './heartbeat-watch.ts';
import { LaneWorker } from './lane-worker.ts';
import { LogWriterWorker } from './log-writer-worker.ts';
import { StartError } from './start-error.ts';

const WATCH_INTERVAL_MS = 50;
const PROGRESS_INTERVAL_MS = 1_000;
// The whole stop may take 5 s; what is left after this is for the exit itself.
const CLEAN_STOP_TIMEOUT_MS = 4_500;
// After a failure: what has not ended by then is ended by SIGKILL (design law 7).
const FAILED_STOP_TIMEOUT_MS = 1_000;

/** What a supervisor is made of. */
export interface SupervisorSettings {
  readonly lane: LaneThreadData;
  readonly writer: Omit<LogWriterThreadData, 'resume'>;
  readonly readiness: Readiness;
  readonly log: Logger;
}

/** The end of a server: its exit code, and whether a thread had to be left behind. */
export interface ServerEnd {
  readonly exitCode: number;
  /** True when a thread hangs: only SIGKILL ends such a process without harm. */
  readonly isHung: boolean;
}

/** The threads of one server. */
export class Supervisor {
  /** Resolves once, when every thread has ended or the time for it is over. */
  readonly exited: Promise<ServerEnd>;
  readonly #settings: SupervisorSettings;
  readonly #exit = Promise.withResolvers<ServerEnd>();
  readonly #failed = Promise.withResolvers<number>();
  readonly #watch: NodeJS.Timeout;
  #lane: LaneWorker | undefined;
  #writer: LogWriterWorker | undefined;
  /** From here on the lane may have sockets open, and must beat. */
  #isRunning = false;
  #isEnding = false;

  constructor(settings: SupervisorSettings) {
    this.#settings = settings;
    this.exited = this.#exit.promise;
    const heartbeat = new HeartbeatWatch(performance.now());
    const counters = new LaneCounters(settings.lane.counters);
    this.#watch = setInterval(() => {
      this.#look(heartbeat, counters);
    }, WATCH_INTERVAL_MS);
  }

  /** Starts the lane and resolves with the log's end once its state is rebuilt. */
  async recover(cancel: AbortSignal | undefined): Promise<LogEnd> {
    const { readiness, log } = this.#settings;
    readiness.enter('recovering', Date.now());
    this.#lane = new LaneWorker(this.#settings.lane, this.#eventsOf('lane 0'));
    const showProgress = (): void => log.info(readiness.progress(Date.now()), 'recovering');
    const progress = setInterval(showProgress, PROGRESS_INTERVAL_MS);
    try {
      const end = await this.#unlessFailed(Promise.race([this.#lane.recovered, cancelled(cancel)]));
      log.info(readiness.progress(Date.now()), 'recovered');
      return end;
    } finally {
      clearInterval(progress);
    }
  }

  /**
   * Starts the log writer at the end of the log. The lane may run at once: until the log is open
   * its blocks wait in their buffers, and their answers with them.
   */
  openLog(resume: LogEnd): void {
    const { readiness, writer } = this.#settings;
    readiness.enter('opening', Date.now());
    this.#writer = new LogWriterWorker({ ...writer, resume }, this.#eventsOf('log writer'));
  }

  /** Lets the lane take transactions; resolves with the port. */
  async listen(): Promise<number> {
    this.#requireLane().run();
    this.#isRunning = true;
    return this.#unlessFailed(this.#requireLane().listening);
  }

  /** See LaneWorker.submit; rejects if the server fails meanwhile. */
  submit(frame: Uint8Array): Promise<Uint8Array> {
    return this.#unlessFailed(this.#requireLane().submit(frame));
  }

  /** Stops taking, answers what was taken, ends the threads. Harmless when it already ends. */
  async stop(): Promise<ServerEnd> {
    if (this.#isEnding || isStopping(this.#settings.lane.stop)) return this.exited;
    this.#isEnding = true;
    this.#settings.readiness.enter('stopping', Date.now());
    this.#lane?.stop();
    const ends = [this.#lane?.ended, this.#writer?.ended];
    const ended = await this.#threadsEnd(ends, CLEAN_STOP_TIMEOUT_MS);
    const code = stopCode(this.#settings.lane.stop);
    if (code !== 0) return this.exited;
    if (ended) this.#finish({ exitCode: ExitCode.clean, isHung: false });
    else this.fail('main: stopping', new Error(`not done after ${CLEAN_STOP_TIMEOUT_MS} ms`));
    return this.exited;
  }

  /** Ends a server whose start went wrong, however far it came. */
  async abandon(): Promise<ServerEnd> {
    if (isStopping(this.#settings.lane.stop)) return this.exited;
    if (this.#isRunning) return this.stop();
    this.#isEnding = true;
    await this.#lane?.terminate();
    this.#finish({ exitCode: ExitCode.clean, isHung: false });
    return this.exited;
  }

  /** Stops the process for a reason that main found (design law 7). */
  fail(where: string, error: unknown, code: ExitCodeValue = ExitCode.unexpected): void {
    const { stop, dataFolder } = this.#settings.lane;
    stopProcess({ code, where, error, dataFolder, stop });
  }

  #look(heartbeat: HeartbeatWatch, counters: LaneCounters): void {
    const { stop } = this.#settings.lane;
    if (this.#isRunning) {
      const beat = counters.readGauge(LaneGauge.heartbeatMs);
      if (heartbeat.isSilent(beat, performance.now()) && !isStopping(stop)) {
        this.fail('lane 0', new Error('no heartbeat for 5 s'), ExitCode.heartbeat);
      }
    }
    const code = stopCode(stop);
    if (code !== 0) void this.#endFailed(code);
  }

  async #endFailed(exitCode: number): Promise<void> {
    clearInterval(this.#watch);
    this.#settings.readiness.enter('failed', Date.now());
    this.#failed.resolve(exitCode);
    // Only the lane's sockets must be closed; the log writer stands still by design.
    const ended = await this.#threadsEnd([this.#lane?.ended], FAILED_STOP_TIMEOUT_MS);
    this.#finish({ exitCode, isHung: !ended });
  }

  /** Whether these threads ended within the time. */
  async #threadsEnd(
    ends: readonly (Promise<void> | undefined)[],
    timeoutMs: number,
  ): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, false);
    });
    const ended = await Promise.race([Promise.all(ends).then(() => true), timeout]);
    clearTimeout(timer);
    return ended;
  }

  #finish(end: ServerEnd): void {
    clearInterval(this.#watch);
    this.#exit.resolve(end);
  }

  #eventsOf(thread: string): { onError(error: unknown): void; onEnd(exitCode: number): void } {
    return {
      onError: (error) => this.fail(thread, error),
      onEnd: (exitCode) => {
        if (this.#isEnding || isStopping(this.#settings.lane.stop)) return;
        this.fail(thread, new Error(`the thread ended by itself with ${exitCode}`));
      },
    };
  }

  #unlessFailed<Value>(waited: Promise<Value>): Promise<Value> {
    const failure = this.#failed.promise.then((exitCode) => {
      throw new StartError('Cannot go on because a thread stopped for the reason above', exitCode);
    });
    return Promise.race([waited, failure]);
  }

  #requireLane(): LaneWorker {
    if (this.#lane === undefined) throw new Error('Cannot use a lane that was not started');
    return this.#lane;
  }
}

function cancelled(cancel: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const refuse = (): void => reject(new StartError('The start was cancelled', ExitCode.clean));
    if (cancel?.aborted === true) refuse();
    cancel?.addEventListener('abort', refuse, { once: true });
  });
}
