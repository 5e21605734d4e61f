// The entry of a lane's thread, the one place where core, persist and gateway meet: warms up,
// rebuilds the shard from the log, waits for main's `run`, serves its sockets, and ends in order.
// Whatever goes wrong here stops the process (law 7): the reason is written at once, the sockets
// are closed, the thread ends.

import './lane/compiler-settings.ts';
import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import { App, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { parentPort, workerData } from 'node:worker_threads';
import { assert, InvariantError } from '../core/assert.ts';
import { Shard } from '../core/shard.ts';
import { countBlocks } from '../persist/block-count.ts';
import { LaneBlocks } from '../persist/commit-port.ts';
import { ExitCode, type ExitCodeValue } from '../persist/exit-codes.ts';
import { stopProcess } from '../persist/fatal.ts';
import type { LogEnd } from '../persist/log-chain.ts';
import { DamagedLogError, UnknownVersionError } from '../persist/log-errors.ts';
import { replayLog } from '../persist/replay.ts';
import type { ReplayProgress } from '../persist/replay-progress.ts';
import { isStopping, waitForStop } from '../persist/stop-signal.ts';
import { tryGoFirst } from '../persist/thread-order.ts';
import { serveHttp } from './http/routes.ts';
import { localSession } from './lane/client-session.ts';
import type { Connection } from './lane/connection.ts';
import { listenExclusively } from './lane/exclusive-listen.ts';
import { Lane, showTables } from './lane/lane.ts';
import { CLOSE_GRACE_MS } from './lane/lane-limits.ts';
import type { FromLane, LaneThreadData, ToLane } from './lane/lane-messages.ts';
import { CloseCode } from './lane/outbox.ts';
import { serveStream } from './lane/stream.ts';
import { warmUp } from './lane/warm-up.ts';
import { warmedMemory } from './lane/warmed-memory.ts';
import { LaneCounters, LaneGauge } from './metrics/lane-counters.ts';
import { refuseRetention } from './supervision/retention-check.ts';

/** The lane of this thread, from recovery to its end. */
class LaneThread {
  readonly #data: LaneThreadData;
  readonly #counters: LaneCounters;
  readonly #shard: Shard;
  #app: TemplatedApp | undefined;
  #openSocketCount: (() => number) | undefined;
  #lane: Lane | undefined;
  #listenSocket: us_listen_socket | undefined;
  #end: LogEnd | undefined;
  #isClosed = false;

  constructor(data: LaneThreadData) {
    this.#data = data;
    this.#counters = new LaneCounters(data.counters);
    const { bounds } = data.settings;
    const { hashSeed, lane } = data;
    this.#shard = new Shard({ shard: lane, hashSeed, bounds, memory: warmedMemory() });
  }

  /** Rebuilds the state and tells main where the log ends. */
  recover(): void {
    const { dataFolder, lane, settings } = this.#data;
    this.#counters.setGauge(LaneGauge.recoveryBlocksTotal, countBlocks(dataFolder));
    const onProgress = (progress: ReplayProgress): void => this.#showProgress(progress);
    this.#end = replayLog({ dataFolder, target: this.#shard, shard: lane, onProgress });
    const difference = this.#shard.checkTotals();
    assert(difference === '', `the sum over all accounts is zero after recovery: ${difference}`);
    const refusal = refuseRetention(this.#shard.directory.operators, settings.retentionMs);
    if (refusal !== '') throw new SettingError(refusal);
    showTables(this.#shard, this.#counters);
    send({ type: 'recovered', end: this.#end });
  }

  receive(message: ToLane): void {
    switch (message.type) {
      case 'run':
        this.#run();
        break;
      case 'submit':
        this.#submit(message.id, message.frame);
        break;
      case 'stop':
        this.#stop().catch((error: unknown) => this.fail('stopping', error));
        break;
    }
  }

  /** Law 7: the reason is told at once; nothing is decided or answered from now on. */
  fail(where: string, error: unknown): void {
    const { dataFolder, lane, stop } = this.#data;
    const code = exitCodeOf(error);
    this.#lane?.kill();
    stopProcess({ code, where: `lane ${lane}: ${where}`, error, dataFolder, stop });
    // Not at once: this may be a callback of the app, which must return before the app is closed.
    setImmediate(() => this.close());
  }

  /**
   * Closes the app in its own thread, without which the process would abort, and ends the thread.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#lane?.kill();
    this.#app?.close();
    parentPort?.close();
  }

  #showProgress(progress: ReplayProgress): void {
    this.#counters.setGauge(LaneGauge.recoveryBlocks, progress.blockCount);
    this.#counters.setGauge(LaneGauge.recoveryRecords, progress.recordCount);
    this.#counters.setGauge(LaneGauge.recoveryBytes, progress.contentBytes);
    this.#counters.setGauge(LaneGauge.sequence, this.#shard.sequence);
  }

  #run(): void {
    assert(this.#end !== undefined && this.#lane === undefined, 'a lane runs once, after recovery');
    const { commitPort, settings, stop, version } = this.#data;
    const blocks = new LaneBlocks(commitPort, { stop, resumePosition: this.#end.blockNumber });
    const lane = new Lane({
      shard: this.#shard,
      blocks,
      counters: this.#counters,
      stop,
      unansweredPerConnectionMax: settings.unansweredPerConnectionMax,
      unansweredPerLaneMax: settings.unansweredPerLaneMax,
      fail: (where, error) => this.fail(where, error),
    });
    this.#lane = lane;
    const open = blocks.open();
    assert(open !== null, 'a lane starts with an open block');
    this.#shard.setRetention(settings.retentionMs, Date.now(), open);
    lane.start();
    const { directory } = this.#shard;
    const options = { lane, directory, counters: this.#counters, settings, version };
    this.#app = App();
    this.#openSocketCount = serveStream(this.#app, options);
    serveHttp(this.#app, options);
    this.#listen(this.#app);
  }

  #listen(app: TemplatedApp): void {
    const { host, port } = this.#data.settings;
    listenExclusively(app, { host, port }, (socket) => {
      if (socket === undefined) {
        const rule = "the address must be this machine's and free";
        const text = `Cannot listen because ${rule}: ${host}:${port}`;
        this.fail('listening', new SettingError(`${text}. Set KASSA_HOST or KASSA_PORT.`));
        return;
      }
      this.#listenSocket = socket;
      send({ type: 'listening', port: us_socket_local_port(socket) });
    });
  }

  #submit(id: number, frame: Uint8Array): void {
    const lane = this.#lane;
    assert(lane !== undefined, 'a frame is submitted to a lane that runs');
    const connection: Connection = lane.connect(localSession(this.#shard.directory), {
      send: (answer) => {
        lane.disconnect(connection);
        send({ type: 'submitted', id, answer: answer.slice() });
        return true;
      },
      close: (code) => {
        throw new InvariantError(
          `Broken invariant: main submits requests only: close code ${code}`,
        );
      },
    });
    lane.guard('submit', () => lane.receive(connection, frame));
  }

  async #stop(): Promise<void> {
    if (this.#listenSocket !== undefined) us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = undefined;
    const lane = this.#lane;
    if (lane !== undefined) {
      await lane.drain();
      const openCount = this.#openSocketCount?.() ?? 0;
      for (const connection of [...lane.connections]) {
        connection.sink.close(CloseCode.goingAway, 'the server is stopping');
      }
      // The library reports a socket as closed with its close frame, long before the client has
      // read it. Cut at once, what the client still sends is answered with a reset, which takes
      // back answers that it has not read.
      if (openCount > 0) await new Promise((resolve) => setTimeout(resolve, CLOSE_GRACE_MS));
    }
    send({ type: 'stopped' });
    this.close();
  }
}

/** A setting that is wrong by what the log or the machine says. */
class SettingError extends Error {
  override readonly name = 'SettingError';
}

function exitCodeOf(error: unknown): ExitCodeValue {
  if (error instanceof DamagedLogError) return ExitCode.damagedLog;
  if (error instanceof UnknownVersionError) return ExitCode.version;
  if (error instanceof SettingError) return ExitCode.configuration;
  return error instanceof InvariantError ? ExitCode.invariant : ExitCode.unexpected;
}

function send(message: FromLane): void {
  parentPort?.postMessage(message);
}

const data: LaneThreadData = workerData;
// Before the shard is made: its objects then have the shapes that the compiled code expects.
tryGoFirst();
await warmUp();
const thread = new LaneThread(data);
process.on('uncaughtException', (error) => thread.fail('an exception that nothing caught', error));
parentPort?.on('message', (message: ToLane) => {
  try {
    thread.receive(message);
  } catch (error) {
    thread.fail(`message ${message.type}`, error);
  }
});
waitForStop(data.stop).then(
  () => setImmediate(() => thread.close()),
  (error: unknown) => thread.fail('watching the stop signal', error),
);
try {
  if (!isStopping(data.stop)) thread.recover();
} catch (error) {
  thread.fail('recovery', error);
}
