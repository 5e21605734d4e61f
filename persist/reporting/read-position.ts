// What moment a report is true at: the reporter's own row, read in the same transaction as what is
// reported. Changes nothing; any thread with a connection.
import { type ClientBase, DatabaseError } from 'pg';
import { assert } from '../../core/assert.ts';

/** The reporter's row as of a transaction. Positions and counts are whole numbers below 2^53. */
export interface ReportedPosition {
  /** The data folder whose log this is. */
  readonly folderId: string;
  /** The last block whose records are all in Postgres. */
  readonly position: number;
  /** Time of that block; null before the first. */
  readonly recordedAt: Date | null;
  readonly timeMs: number;
  /** Last sequence of each shard. */
  readonly sequences: readonly number[];
  readonly recordCount: number;
  readonly contentBytes: number;
  readonly snapshotId: number;
  /** The journal has every record after this position; null while it is turned off. */
  readonly journalFrom: number | null;
}

/** There is nothing to report from yet. */
export class NothingReportedError extends Error {
  override readonly name = 'NothingReportedError';
}

/** SQL states of a schema, table or function that is not there. */
const ABSENT_STATES: readonly string[] = ['3F000', '42P01', '42883'];

const NUMBERS = `position, record_count, content_bytes, time_ms, snapshot_id, journal_from`;

/** Reads the row; throws NothingReportedError where schema or row are not there. */
export async function readReportedPosition(client: ClientBase): Promise<ReportedPosition> {
  const row = await findRow(client);
  if (row === undefined) {
    throw new NothingReportedError(
      'Cannot report because reporting has written nothing yet. Start the server with ' +
        'KASSA_REPORTING=on and wait for its first snapshot, or run: kassa report rebuild',
    );
  }
  const number = (name: string): number => {
    const value = Number(row[name]);
    assert(Number.isSafeInteger(value), 'positions and counts keep below 2^53');
    return value;
  };
  const { recorded_at: recordedAt, sequences } = row;
  assert(Array.isArray(sequences), 'sequences are an array');
  return {
    folderId: String(row.folder_id),
    position: number('position'),
    recordedAt: recordedAt instanceof Date ? recordedAt : null,
    timeMs: number('time_ms'),
    sequences: sequences.map(Number),
    recordCount: number('record_count'),
    contentBytes: number('content_bytes'),
    snapshotId: number('snapshot_id'),
    journalFrom: row.journal_from === null ? null : number('journal_from'),
  };
}

/** Whether the error says that a schema, a table or a function is not there. */
export function isAbsent(error: unknown): boolean {
  return error instanceof DatabaseError && ABSENT_STATES.includes(error.code ?? '');
}

/**
 * Runs `use` in one transaction that sees one moment of the database and is rolled back after it:
 * read-only, unless it needs temporary tables.
 */
export async function inOneMoment<T>(
  client: ClientBase,
  use: () => Promise<T>,
  access: 'read only' | 'read write' = 'read only',
): Promise<T> {
  await client.query(`begin transaction isolation level repeatable read, ${access}`);
  try {
    // A comparison reads the whole log in between: no time limit of the server's may cut it.
    await client.query('set local statement_timeout = 0');
    await client.query('set local idle_in_transaction_session_timeout = 0');
    return await use();
  } finally {
    // Also ends a failed one. Where the connection is gone the cause is on its way already.
    await client.query('rollback').catch(() => undefined);
  }
}

async function findRow(client: ClientBase): Promise<Record<string, unknown> | undefined> {
  try {
    const { rows } = await client.query<Record<string, unknown>>(
      `select folder_id, recorded_at, sequences, ${NUMBERS} from kassa.reporter_position`,
    );
    return rows[0];
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
