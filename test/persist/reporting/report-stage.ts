// A throw-away Postgres with a data folder whose log is reported into it by this thread: what the
// tests of the reporter start with. Used by tests only; a test's file ends it.
import { Client, type ClientConfig, types } from 'pg';
import { ReporterMemory } from '../../../persist/reporting/report-state.ts';
import { report } from '../../../persist/reporting/reporter.ts';
import {
  allocateReporterCounters,
  ReporterCounters,
  type ReporterMeasures,
  readReporterCounters,
} from '../../../persist/reporting/reporter-counters.ts';
import type { ReporterSettings } from '../../../persist/reporting/reporter-settings.ts';
import { type PostgresKind, PostgresServer } from '../../support/postgres-server.ts';
import { makeTemporaryFolder, removeFolder } from '../test-log.ts';
import { SEGMENT_BYTES_MAX } from './reported-play.ts';

const INT8_OID = 20;

/** What a report may be asked for; the rest is as the command line has it. */
export interface StageReport {
  readonly untilPosition?: number;
  readonly journal?: boolean;
  /** Blocks that are durable beyond what Postgres has; so many a snapshot has at most. */
  readonly blocksAhead?: () => number;
  /** The log's last position. */
  readonly lastPosition: number;
  readonly signal?: AbortSignal;
  /** What a report before it left; none unless given. */
  readonly memory?: ReporterMemory;
  readonly dataFolder?: string;
  readonly connection?: ClientConfig;
  readonly onLine?: (line: ReporterLine) => void;
}

/** One line that a reporter logged. */
export interface ReporterLine {
  readonly level: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** See the head of this file. */
export class ReportStage {
  readonly server: PostgresServer;
  readonly folder: string;
  /** What the reporters logged. */
  readonly lines: ReporterLine[] = [];
  #counters: SharedArrayBuffer = allocateReporterCounters();
  readonly #clients: Client[] = [];

  private constructor(server: PostgresServer) {
    this.server = server;
    this.folder = makeTemporaryFolder();
  }

  static async start(kind: PostgresKind): Promise<ReportStage> {
    return new ReportStage(await PostgresServer.start(kind));
  }

  /** Of the newest report. */
  get measures(): ReporterMeasures {
    return readReporterCounters(this.#counters);
  }

  /** Settings of a connection to a database of the server. */
  connection(database = 'kassa'): ClientConfig {
    return {
      connectionString: this.server.url.replace(/kassa$/, database),
      application_name: 'reporter',
    };
  }

  /** A connection of the test's own, in UTC, with bigints as numbers; ends with the stage. */
  async connect(database = 'kassa'): Promise<Client> {
    const client = new Client({
      connectionString: this.server.url.replace(/kassa$/, database),
      application_name: 'test',
      types: {
        getTypeParser: (oid: number, format?: 'text' | 'binary') =>
          oid === INT8_OID ? Number : types.getTypeParser(oid, format as 'text'),
      } as typeof types,
    });
    client.on('error', () => undefined);
    await client.connect();
    await client.query(`set timezone = 'UTC'; set jit = off`);
    this.#clients.push(client);
    return client;
  }

  /** Reports until the position or the signal; errors are the reporter's own. */
  async report(options: StageReport): Promise<void> {
    const { lastPosition, blocksAhead, untilPosition = lastPosition } = options;
    const counters = allocateReporterCounters();
    this.#counters = counters;
    const settings: ReporterSettings = {
      dataFolder: options.dataFolder ?? this.folder,
      connection: options.connection ?? this.connection(),
      journal: options.journal ?? true,
      journalDays: 0,
      snapshotIntervalMs: 0,
      segmentBytesMax: SEGMENT_BYTES_MAX,
      readOnly: true,
      durablePosition: durableBehind(counters, Math.min(untilPosition, lastPosition), blocksAhead),
      durableTimeMs: () => 1_700_000_000_000,
      untilPosition,
      memory: options.memory ?? new ReporterMemory(),
      counters: new ReporterCounters(counters),
      log: (level, text, fields) => {
        this.lines.push({ level, text, fields });
        options.onLine?.({ level, text, fields });
      },
      signal: options.signal ?? new AbortController().signal,
    };
    await report(settings);
  }

  /**
   * Reports as report() does, but begins anew at once after each interruption instead of waiting,
   * with the memory of before, as in a server; returns how many there were.
   */
  async reportWithoutWaits(options: StageReport): Promise<number> {
    const memory = new ReporterMemory();
    for (let interruptions = 0; ; interruptions += 1) {
      const stop = new AbortController();
      const onLine = ({ level }: ReporterLine): void => {
        if (level !== 'info') stop.abort();
      };
      await this.report({ ...options, memory, signal: stop.signal, onLine });
      if (!stop.signal.aborted) return interruptions;
    }
  }

  /** Empties the database, as nobody should who wants to keep the reports. */
  async dropReports(): Promise<void> {
    const client = await this.connect();
    await client.query('drop schema if exists kassa cascade');
    await client.end();
    this.lines.length = 0;
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => undefined)));
    await this.server.remove();
    removeFolder(this.folder);
  }
}

/** What is durable runs ahead of what is reported by some blocks, drawn anew for each snapshot. */
function durableBehind(
  counters: SharedArrayBuffer,
  last: number,
  blocksAhead: (() => number) | undefined,
): () => number {
  if (blocksAhead === undefined) return () => last;
  let reported = -1;
  let durable = 0;
  return () => {
    const { position } = readReporterCounters(counters);
    if (position !== reported) {
      reported = position;
      durable = Math.max(durable, Math.min(last, position + blocksAhead()));
    }
    return durable;
  };
}
