// Puts one server together: checks, lock, admin port, threads, demo. Main thread only; used by
// main.ts and by tests in their own process, so it ends no process and takes no signal. A crash
// leaves the data folder, and the next start recovers from its log.
import type { Logger } from 'pino';
import { allocateCommitPort, holdCommits } from '../persist/commit-port.ts';
import { type FolderIdentity, openDataFolder } from '../persist/data-folder.ts';
import { ExitCode } from '../persist/exit-codes.ts';
import { type FolderLock, lockFolder } from '../persist/folder-lock.ts';
import type { LogEnd } from '../persist/log-chain.ts';
import { connectionSettings } from '../persist/postgres/connection-settings.ts';
import { allocateReporterCounters } from '../persist/reporting/reporter-counters.ts';
import { allocateStopSignal, isStopping } from '../persist/stop-signal.ts';
import { allocateWriterCounters } from '../persist/writer-counters.ts';
import { type AdminServer, listenAdmin } from './admin/admin-server.ts';
import { Readiness } from './admin/readiness.ts';
import type { Configuration } from './configuration.ts';
import { type Demo, makeDemo, readDemo, writeDemo } from './demo/demo-file.ts';
import { submitDemo } from './demo/demo-transactions.ts';
import type { LaneThreadData } from './lane/lane-messages.ts';
import { LaneCounters, LaneGauge } from './metrics/lane-counters.ts';
import { MetricsPage } from './metrics/metrics-page.ts';
import { addReporterMetrics } from './metrics/reporter-metrics.ts';
import { addWriterMetrics } from './metrics/writer-metrics.ts';
import { refuseClock } from './supervision/clock-check.ts';
import { readManifest, refuseNode } from './supervision/pinned-node.ts';
import { openProcessLog } from './supervision/process-log.ts';
import { REPORTER_NAME, Reporting } from './supervision/reporting.ts';
import { StartError } from './supervision/start-error.ts';
import { type ServerEnd, Supervisor } from './supervision/supervisor.ts';

// This version runs one lane; the data folder and the formats carry the number.
const LANE_COUNT = 1;

/** What a caller may want beside the configuration. */
export interface ServerOptions {
  /** Tests: the log writer takes nothing to disk until releaseCommits. */
  readonly holdCommits?: boolean;
  /** Ends a start that has not come to listening. */
  readonly cancel?: AbortSignal;
  /** Called once the admin port answers, long before a recovery is done. */
  readonly onAdminListening?: (adminPort: number) => void;
}

/** A server that takes transactions. */
export interface RunningServer {
  readonly port: number;
  readonly adminPort: number;
  readonly commitPorts: readonly SharedArrayBuffer[];
  /** The demo's key, when there is a demo. */
  readonly demo: Demo | undefined;
  /** Resolves when every thread has ended, or the time for it is over, whatever the reason. */
  readonly exited: Promise<ServerEnd>;
  /** Stops taking, answers and commits what was taken; resolves as `exited` does. */
  stop(): Promise<ServerEnd>;
  /** Stops at once for a reason that nothing expected (design law 7). */
  fail(where: string, error: unknown): void;
}

/** Starts a server; resolves when it listens. Rejects with an error that has an exitCode. */
export async function startServer(
  configuration: Configuration,
  options: ServerOptions = {},
): Promise<RunningServer> {
  const { version, pinnedNode } = readManifest();
  const refusal = refuseNode(process.version, pinnedNode);
  if (refusal !== '') throw new StartError(refusal, ExitCode.configuration);
  refusePostgres(configuration);
  const log = openProcessLog(configuration.logLevel, process.stderr.isTTY);
  const lock = lockFolder(configuration.dataFolder);
  try {
    const { dataFolder } = configuration;
    log.info({ version, dataFolder, process: process.pid }, 'starting');
    const identity = openDataFolder(dataFolder, LANE_COUNT);
    const server = new Server({ configuration, options, identity, version, log });
    return await server.start(lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A URL that cannot be used stops the start; a Postgres that does not answer stops nothing. */
function refusePostgres({ reporting, postgresUrl }: Configuration): void {
  if (!reporting || postgresUrl === undefined) return;
  try {
    connectionSettings(postgresUrl, REPORTER_NAME);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(reason, ExitCode.configuration);
  }
}

interface ServerParts {
  readonly configuration: Configuration;
  readonly options: ServerOptions;
  readonly identity: FolderIdentity;
  readonly version: string;
  readonly log: Logger;
}

/** The parts of one server between its start and its end. */
class Server {
  readonly #parts: ServerParts;
  readonly #commitPort = allocateCommitPort();
  readonly #laneCounters = LaneCounters.allocate();
  readonly #writerCounters = allocateWriterCounters();
  readonly #reporterCounters = allocateReporterCounters();
  readonly #stop = allocateStopSignal();
  #recordsAtStart = 0;
  readonly #readiness: Readiness;
  readonly #supervisor: Supervisor;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    const { configuration, options, log } = parts;
    const stop = this.#stop;
    if (options.holdCommits === true) holdCommits(this.#commitPort);
    this.#readiness = new Readiness([new LaneCounters(this.#laneCounters)]);
    this.#supervisor = new Supervisor({
      lane: this.#laneData(),
      writer: {
        dataFolder: configuration.dataFolder,
        segmentBytesMax: configuration.segmentBytes,
        ports: [this.#commitPort],
        stop,
        counters: this.#writerCounters,
      },
      readiness: this.#readiness,
      log,
    });
  }

  async start(lock: FolderLock): Promise<RunningServer> {
    const { options, log } = this.#parts;
    const admin = await this.#listenAdmin();
    log.info({ adminPort: admin.port }, 'admin port listens');
    options.onAdminListening?.(admin.port);
    let reporting: Reporting | undefined;
    try {
      // Early, before the lanes have much memory.
      reporting = this.#prepareReporting();
      const end = await this.#supervisor.recover(options.cancel);
      this.#checkClock(end);
      const demo = this.#readDemo(end);
      this.#supervisor.openLog(end);
      const port = await this.#supervisor.listen();
      // Ready only with the demo: whoever waited for it finds the key.
      if (demo?.complete === false) await this.#makeDemo(demo);
      this.#readiness.enter('listening', Date.now());
      log.info({ port, adminPort: admin.port }, 'listening');
      // Behind a server that takes transactions: nobody waits for Postgres.
      this.#recordsAtStart = end.sequences.reduce((sum, sequence) => sum + sequence, 0);
      reporting?.start();
      const exited = this.#supervisor.exited.then(async (serverEnd) => {
        // After a failure nothing is waited for: an embedded Postgres dies with the process.
        const reported = reporting?.stop();
        if (serverEnd.exitCode === ExitCode.clean) await reported;
        await admin.close();
        // A thread that hangs may still write: then the lock goes only with the process.
        if (!serverEnd.isHung) lock.release();
        log.info({ exitCode: serverEnd.exitCode }, 'stopped');
        return serverEnd;
      });
      return this.#running({ port, adminPort: admin.port, demo, exited });
    } catch (error) {
      await this.#supervisor.abandon();
      await reporting?.stop();
      await admin.close();
      throw error;
    }
  }

  #prepareReporting(): Reporting | undefined {
    const { configuration, log } = this.#parts;
    if (!configuration.reporting) return undefined;
    return new Reporting({
      thread: {
        dataFolder: configuration.dataFolder,
        journal: configuration.journal,
        journalDays: configuration.journalDays,
        snapshotIntervalMs: configuration.snapshotIntervalMs,
        segmentBytesMax: configuration.segmentBytes,
        counters: this.#reporterCounters,
        writerCounters: this.#writerCounters,
        stop: this.#stop,
      },
      postgresUrl: configuration.postgresUrl,
      log,
      events: {
        onError: (error) => this.#supervisor.fail('reporter', error),
        onEnd: (exitCode) => {
          if (isStopping(this.#stop)) return;
          this.#supervisor.fail('reporter', new Error(`the thread ended with ${exitCode}`));
        },
      },
    });
  }

  #running(started: Pick<RunningServer, 'port' | 'adminPort' | 'demo' | 'exited'>): RunningServer {
    return {
      ...started,
      commitPorts: [this.#commitPort],
      stop: async () => {
        this.#parts.log.info('stopping');
        await this.#supervisor.stop();
        return started.exited;
      },
      fail: (where, error) => this.#supervisor.fail(where, error),
    };
  }

  #laneData(): LaneThreadData {
    const { configuration, identity, version } = this.#parts;
    return {
      lane: 0,
      dataFolder: configuration.dataFolder,
      hashSeed: Uint8Array.from(Buffer.from(identity.secretHashSeed, 'hex')),
      version,
      settings: {
        host: configuration.host,
        port: configuration.port,
        unansweredPerConnectionMax: configuration.unansweredPerConnectionMax,
        unansweredPerLaneMax: configuration.unansweredPerLaneMax,
        frameBytesMax: configuration.frameBytesMax,
        connectionsMax: configuration.connectionsMax,
        retentionMs: configuration.retentionMs,
        bounds: {
          accountsMax: configuration.accountsMax,
          indexEntriesMax: configuration.indexEntriesMax,
          openRoundsMax: configuration.openRoundsMax,
          holdsMax: configuration.holdsMax,
        },
      },
      commitPort: this.#commitPort,
      counters: this.#laneCounters,
      stop: this.#stop,
    };
  }

  #listenAdmin(): Promise<AdminServer> {
    const { configuration, version } = this.#parts;
    const metrics = new MetricsPage({
      version,
      lanes: [new LaneCounters(this.#laneCounters)],
      isReady: () => this.#readiness.phase === 'listening',
    });
    addWriterMetrics(metrics, this.#writerCounters);
    if (configuration.reporting) {
      addReporterMetrics(metrics, {
        counters: this.#reporterCounters,
        writerCounters: this.#writerCounters,
        logAtStart: () => ({
          recordCount: this.#recordsAtStart,
          contentBytes: new LaneCounters(this.#laneCounters).readGauge(LaneGauge.recoveryBytes),
        }),
      });
    }
    const { adminHost, adminPort } = configuration;
    return listenAdmin(adminHost, adminPort, { readiness: this.#readiness, metrics });
  }

  #checkClock(end: LogEnd): void {
    const refusal = refuseClock(end.timeMs, Date.now(), this.#parts.configuration.acceptClock);
    if (refusal !== '') throw new StartError(refusal, ExitCode.configuration);
  }

  /**
   * The demo of this folder, if there is one. A new one is on disk before the log has its first
   * block: later an empty log would no longer tell that its making was cut short.
   */
  #readDemo(end: LogEnd): Demo | undefined {
    const { demo: isWanted, dataFolder } = this.#parts.configuration;
    if (!isWanted) return undefined;
    const known = readDemo(dataFolder);
    if (end.blockNumber > 0) return known;
    const demo = { ...(known ?? makeDemo()), complete: false };
    writeDemo(dataFolder, demo);
    return demo;
  }

  /** Makes what the demo's text speaks of; resolves when it is durable. */
  async #makeDemo(demo: Demo): Promise<void> {
    await submitDemo(demo, (frame) => this.#supervisor.submit(frame));
    writeDemo(this.#parts.configuration.dataFolder, { ...demo, complete: true });
  }
}
