// Sends rows to Postgres by COPY. A row that Postgres refuses is found by halves, put into
// rejected_rows with the reason, and the others go on: one bad row must not stop reporting, and
// none may vanish without a word. Belongs to the reporter's thread, inside its transaction.
import { once } from 'node:events';
import { type ClientBase, DatabaseError } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { assert } from '../../core/assert.ts';
import { COPY_HEAD, COPY_TRAILER } from './copy-writer.ts';

/** Bytes handed to the socket at once: while Postgres takes them, the next ones are made. */
export const COPY_PIECE_BYTES = 524_288;

/** Classes of errors that are a row's own fault: data exceptions and broken constraints. */
const ROW_FAULTS = ['22', '23'];

/** Which table, and how many columns its rows have. */
export interface CopyTarget {
  readonly table: string;
  /** Where and when a row was decided, for rejected_rows. */
  readonly placeOf: (row: Uint8Array) => RowPlace;
}

/** See rejected_rows. */
export interface RowPlace {
  readonly position: number;
  readonly shard: number;
  readonly sequence: number;
  readonly timeMs: number;
}

const SAVE = 'savepoint rows';
const FORGET = 'release savepoint rows';
const GO_BACK = 'rollback to savepoint rows';

const REJECT = `
  insert into kassa.rejected_rows
    (target, position, shard, sequence, recorded_at, sql_state, reason, row_bytes)
  values ($1, $2, $3, $4, to_timestamp($5::double precision / 1000), $6, $7, $8)`;

/**
 * Copies whole rows, in pieces that are made again if a row is refused; returns how many were
 * refused and put aside.
 */
export async function copyRows(
  client: ClientBase,
  target: CopyTarget,
  pieces: () => Iterable<Uint8Array>,
): Promise<number> {
  await client.query(SAVE);
  try {
    await copy(client, target.table, pieces());
    await client.query(FORGET);
    return 0;
  } catch (error) {
    if (!isRowFault(error)) throw error;
    await client.query(GO_BACK);
    let rejectedCount = 0;
    for (const piece of pieces()) {
      rejectedCount += await copyHalves(client, target, splitRows(piece));
    }
    assert(rejectedCount > 0, 'rows that are refused together hold one that is refused alone');
    return rejectedCount;
  }
}

async function copyHalves(
  client: ClientBase,
  target: CopyTarget,
  rows: readonly Uint8Array[],
): Promise<number> {
  if (rows.length === 0) return 0;
  await client.query(SAVE);
  try {
    await copy(client, target.table, [Buffer.concat(rows)]);
    await client.query(FORGET);
    return 0;
  } catch (error) {
    if (!isRowFault(error)) throw error;
    await client.query(GO_BACK);
    if (rows.length === 1) {
      await reject(client, target, rows[0], error);
      return 1;
    }
    const middle = rows.length >>> 1;
    const first = await copyHalves(client, target, rows.slice(0, middle));
    return first + (await copyHalves(client, target, rows.slice(middle)));
  }
}

async function reject(
  client: ClientBase,
  { table, placeOf }: CopyTarget,
  row: Uint8Array,
  error: DatabaseError,
): Promise<void> {
  const { position, shard, sequence, timeMs } = placeOf(row);
  const reason = error.message;
  await client.query(REJECT, [
    table,
    position,
    shard,
    sequence,
    timeMs,
    error.code ?? '',
    reason,
    Buffer.from(row),
  ]);
}

async function copy(
  client: ClientBase,
  table: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  const stream = client.query(copyFrom(`copy kassa.${table} from stdin (format binary)`));
  const finished = once(stream, 'finish');
  // The stream's error comes by `finished`; until that is awaited nobody else hears it.
  finished.catch(() => undefined);
  stream.write(COPY_HEAD);
  let drained: Promise<unknown> = Promise.resolve();
  for (const piece of pieces) {
    // The piece before is on its way: this one was made meanwhile.
    await Promise.race([drained, finished]);
    if (stream.destroyed || stream.errored !== null) break;
    drained = stream.write(piece) ? Promise.resolve() : once(stream, 'drain');
    drained.catch(() => undefined);
  }
  if (!stream.destroyed) stream.end(COPY_TRAILER);
  await finished;
}

function isRowFault(error: unknown): error is DatabaseError {
  if (!(error instanceof DatabaseError)) return false;
  // A missing partition has the code of a broken constraint and is not the row's fault.
  if (error.routine === 'ExecFindPartition') return false;
  return ROW_FAULTS.includes(error.code?.slice(0, 2) ?? '');
}

/** The rows of a piece: COPY's format tells each one's length. */
function splitRows(piece: Uint8Array): Uint8Array[] {
  const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
  const rows: Uint8Array[] = [];
  for (let at = 0; at < piece.byteLength; ) {
    const start = at;
    const fieldCount = view.getInt16(at);
    at += 2;
    for (let field = 0; field < fieldCount; field += 1) {
      at += 4 + Math.max(view.getInt32(at), 0);
    }
    rows.push(piece.subarray(start, at));
  }
  return rows;
}
