// Compares Postgres with the log at one position: the one that the reporter had committed when the
// comparison began. Both may go on meanwhile. One read-only transaction sees Postgres at that
// position; the log's blocks up to it never change. Changes nothing; one thread with a connection.
import type { ClientBase } from 'pg';
import { readIdentity } from '../data-folder.ts';
import {
  inOneMoment,
  type ReportedPosition,
  readReportedPosition,
} from '../reporting/read-position.ts';
import { compareAccounts } from './reconcile-balances.ts';
import { type Difference, type DifferenceSort, Differences } from './reconcile-differences.ts';
import { readLogFacts } from './reconcile-log.ts';
import type { LogFacts } from './reconcile-records.ts';
import {
  compareDirectory,
  compareJournal,
  comparePosition,
  compareSystem,
  compareTurnover,
} from './reconcile-sums.ts';

/** What is compared. */
export interface ReconcileOptions {
  /** Connected, outside a transaction, used by nobody else meanwhile. */
  readonly client: ClientBase;
  readonly dataFolder: string;
  /** Differences of each sort that are kept; all are counted. */
  readonly keptPerSortMax: number;
  readonly onProgress?: (progress: ReconcileProgress) => void;
  readonly signal?: AbortSignal;
}

/** How far the comparison is: records of the log first, then accounts. */
export interface ReconcileProgress {
  readonly step: 'records' | 'accounts' | 'sums';
  readonly doneCount: number;
  readonly totalCount: number;
}

/** What was compared and what was found. */
export interface Reconciliation {
  readonly position: number;
  /** Time of the position's block, ISO 8601; null before the first block. */
  readonly recordedAt: string | null;
  readonly recordCount: number;
  readonly accountCount: number;
  /** The journal was compared from the position after this one; null: it is turned off. */
  readonly journalFrom: number | null;
  /** What a reader of the result has to know, in sentences. */
  readonly notes: readonly string[];
  readonly differenceCount: number;
  readonly differenceCounts: Readonly<Partial<Record<DifferenceSort, number>>>;
  readonly differences: readonly Difference[];
}

/** Postgres and the log do not belong together, so that no comparison makes sense. */
export class ReconcileError extends Error {
  override readonly name = 'ReconcileError';
}

/** Compares; throws ReconcileError, NothingReportedError, errors of the log and of Postgres. */
export async function reconcile(options: ReconcileOptions): Promise<Reconciliation> {
  const { client } = options;
  const { rows } = await client.query<{ exists: boolean }>(
    `select to_regclass('kassa.balance_changes') is not null as exists`,
  );
  // Without the schema the reading of the position says so.
  return inOneMoment(client, async () => {
    if (rows[0]?.exists === true) await client.query(HOLD_PARTITIONS);
    return compareAll(options, await readReportedPosition(client));
  });
}

/**
 * Partitions that are dropped while the log is read would be gone from this transaction too. Weak
 * locks, which only dropping waits for; taken before the transaction's first look at rows.
 */
const HOLD_PARTITIONS = `lock table kassa.balance_changes, kassa.balance_images,
  kassa.system_balances, kassa.transactions in access share mode`;

async function compareAll(
  options: ReconcileOptions,
  reported: ReportedPosition,
): Promise<Reconciliation> {
  const { client, onProgress = () => undefined } = options;
  const facts = await readFacts(options, reported);
  const differences = new Differences(options.keptPerSortMax);
  const comparison = { client, reported, facts, differences };
  comparePosition(comparison);
  await compareDirectory(comparison);
  const totalCount = accountCountOf(facts);
  const players = await compareAccounts({
    ...{ client, facts, differences, snapshotId: reported.snapshotId },
    onAccounts: (doneCount) => {
      options.signal?.throwIfAborted();
      onProgress({ step: 'accounts', doneCount, totalCount });
    },
  });
  onProgress({ step: 'sums', doneCount: 0, totalCount: 1 });
  await compareTurnover(comparison);
  await compareSystem(comparison, players);
  const notes = await compareJournalDays(comparison);
  onProgress({ step: 'sums', doneCount: 1, totalCount: 1 });
  return {
    position: reported.position,
    recordedAt: reported.recordedAt?.toISOString() ?? null,
    recordCount: facts.recordCount,
    accountCount: totalCount,
    journalFrom: reported.journalFrom,
    notes: [...notes, ...(await noteRejectedRows(client))],
    differenceCount: differences.count,
    differenceCounts: Object.fromEntries(differences.counts),
    differences: differences.kept,
  };
}

async function readFacts(options: ReconcileOptions, reported: ReportedPosition): Promise<LogFacts> {
  const { dataFolder, onProgress = () => undefined } = options;
  const { position, folderId, recordCount: totalCount } = reported;
  if (readIdentity(dataFolder).folderId !== folderId) {
    throw new ReconcileError(
      `Cannot compare because Postgres follows another log: that of the data folder ${folderId}, ` +
        `not ${dataFolder}. Name the right KASSA_DATA or KASSA_POSTGRES_URL.`,
    );
  }
  const facts = await readLogFacts({
    ...{ dataFolder, position, journalFrom: reported.journalFrom },
    onProgress: (doneCount) => onProgress({ step: 'records', doneCount, totalCount }),
    signal: options.signal ?? new AbortController().signal,
  });
  if (facts.position < position) {
    throw new ReconcileError(
      `Cannot compare because the log ends before Postgres' position: block ${facts.position}, ` +
        `Postgres is at ${position}. The data folder is older than what was reported: put the ` +
        'newer one back, or run: kassa report rebuild',
    );
  }
  return facts;
}

/** Compares the days that the journal still has; returns what it left out, as sentences. */
async function compareJournalDays(comparison: {
  readonly client: ClientBase;
  readonly reported: ReportedPosition;
  readonly facts: LogFacts;
  readonly differences: Differences;
}): Promise<string[]> {
  const { client, reported } = comparison;
  if (reported.journalFrom === null) return ['The journal is turned off and was not compared.'];
  const { rows } = await client.query<{ day: string }>(
    `select to_char(from_at at time zone 'UTC', 'YYYY-MM-DD') as day from kassa.partitions
     where parent = 'transactions' and detached_at is not null order by from_at`,
  );
  const detached = new Set(rows.map(({ day }) => day));
  await compareJournal(comparison, (day) => !detached.has(day));
  const notes =
    reported.journalFrom === 0
      ? []
      : [`The journal begins behind position ${reported.journalFrom}: compared from there.`];
  if (detached.size === 0) return notes;
  const [first] = detached;
  const last = [...detached].at(-1);
  return [
    ...notes,
    `Days taken out of the journal were left out: ${detached.size}, ${first} to ${last}.`,
  ];
}

async function noteRejectedRows(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ count: string }>(
    'select count(*) from kassa.rejected_rows',
  );
  const count = rows[0]?.count ?? '0';
  if (count === '0') return [];
  return [`Postgres refused ${count} rows while they were written: see kassa.rejected_rows.`];
}

function accountCountOf({ shards }: LogFacts): number {
  return shards.reduce((count, shard) => count + (shard?.accounts.rowCount ?? 0), 0);
}
