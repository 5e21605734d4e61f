// What tests of reporting look at: the metrics and the readiness of a server while something
// happens, and whether Postgres has exactly what the log has.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type ClientConfig } from 'pg';
import { expect } from 'vitest';
import { Kind } from '../../core/kinds.ts';
import { type Reconciliation, reconcile } from '../../persist/reconciliation/reconcile.ts';

const POLL_MS = 50;
const KEPT_DIFFERENCES = 5;

/** The reporter at one moment, as /metrics shows it. */
export interface ReporterState {
  readonly isUp: boolean;
  readonly lagRecords: number;
  readonly lagSeconds: number;
  readonly reconnects: number;
  readonly rejectedRows: number;
  /** Nothing that is durable is missing in Postgres. */
  readonly isCaughtUp: boolean;
}

/** Values of a metrics page without labels, by name. */
export async function readMetrics(adminPort: number): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
  const lines = (await response.text()).split('\n').filter((line) => /^\w+ /.test(line));
  return new Map(lines.map((line) => line.split(' ')).map(([name, value]) => [name, +value]));
}

/** Reads the reporter's metrics; a server without them has values that are not a number. */
export async function readReporter(adminPort: number): Promise<ReporterState> {
  const metrics = await readMetrics(adminPort);
  const find = (name: string): number => metrics.get(name) ?? Number.NaN;
  const isUp = find('kassa_reporter_up') === 1;
  const lagRecords = find('kassa_reporter_lag_records');
  const isAtEnd = find('kassa_reporter_position') >= find('kassa_durable_position');
  return {
    isUp,
    lagRecords,
    lagSeconds: find('kassa_reporter_lag_seconds'),
    reconnects: find('kassa_reporter_reconnects_total'),
    rejectedRows: find('kassa_reporter_rejected_rows_total'),
    isCaughtUp: isUp && lagRecords === 0 && isAtEnd,
  };
}

/** Resolves with the ms that it took until the condition held; fails after the timeout. */
export async function waitForReporter(
  adminPort: number,
  isThere: (state: ReporterState) => boolean,
  timeoutMs: number,
): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const state = await readReporter(adminPort);
    const elapsedMs = performance.now() - startMs;
    if (isThere(state)) return elapsedMs;
    if (elapsedMs > timeoutMs) {
      throw new Error(`The reporter did not come there in time: ${JSON.stringify(state)}`);
    }
    await sleep(POLL_MS);
  }
}

/** Looks at a server again and again, from its making until `end`. */
export class ReporterWatch {
  /** How often the reporter was seen down, and how often the server was not ready. */
  downCount = 0;
  unreadyCount = 0;
  lookCount = 0;
  lagRecordsMax = 0;
  lagSecondsMax = 0;
  readonly #adminPort: number;
  readonly #ended: Promise<void>;
  #isOver = false;

  constructor(adminPort: number) {
    this.#adminPort = adminPort;
    this.#ended = this.#run();
    // Told by `end`; a test that fails before it has its own reason.
    this.#ended.catch(() => undefined);
  }

  async end(): Promise<this> {
    this.#isOver = true;
    await this.#ended;
    return this;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const state = await readReporter(this.#adminPort);
      const { status } = await fetch(`http://127.0.0.1:${this.#adminPort}/readyz`);
      this.lookCount += 1;
      if (!state.isUp) this.downCount += 1;
      if (status !== 200) this.unreadyCount += 1;
      this.lagRecordsMax = Math.max(this.lagRecordsMax, state.lagRecords);
      this.lagSecondsMax = Math.max(this.lagSecondsMax, state.lagSeconds);
      await sleep(2 * POLL_MS);
    }
  }
}

/** What a comparison with the log came to, and how the journal's rows are made up. */
export interface ComparedReports extends Reconciliation {
  /** Rows without those of receivers, which a transfer has beside its sender's. */
  readonly rowCount: number;
  /** Those of them that somebody sent: time adds others. */
  readonly sentCount: number;
}

/** Postgres has each record of the log once, and nothing else. The server may be running. */
export async function expectSameAsLog(
  connection: ClientConfig,
  dataFolder: string,
): Promise<ComparedReports> {
  const compared = await compareReports(connection, dataFolder);
  const { differences, differenceCount, notes, rowCount, recordCount } = compared;
  expect(differences).toEqual([]);
  expect({ differenceCount, notes, rowCount }).toEqual({
    ...{ differenceCount: 0, notes: [], rowCount: recordCount },
  });
  return compared;
}

async function compareReports(
  connection: ClientConfig,
  dataFolder: string,
): Promise<ComparedReports> {
  const client = new Client(connection);
  await client.connect();
  try {
    const result = await reconcile({ client, dataFolder, keptPerSortMax: KEPT_DIFFERENCES });
    const { rows } = await client.query<{ all: string; sent: string }>(
      `select count(*) as all, count(*) filter (where not kind = any ($2)) as sent
       from kassa.transactions where flags & 128 = 0 and position <= $1`,
      [result.position, [Kind.roundAged, Kind.holdExpired]],
    );
    return { ...result, rowCount: Number(rows[0]?.all), sentCount: Number(rows[0]?.sent) };
  } finally {
    await client.end();
  }
}
