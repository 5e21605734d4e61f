// The journal rows of one snapshot, in the order of their accounts: so the index by account takes a
// third of the time that random order takes, and an account's rows lie together. Belongs to the
// reporter's thread. Batches of some 90 MB are used again: new memory for each would cost more than
// what is done with it.
//
//   add(row) ─▶ rows in the order of the log ─▶ sorted(), piece by piece behind them ─▶ COPY
//   defer(row): waits until it is known what it refers to (original-lookup.ts), then add(row)
import { assert } from '../../core/assert.ts';
import { CopyWriter } from './copy-writer.ts';
import { copyRow, type JournalRow, writeRow } from './journal-row.ts';

/**
 * Rows of one snapshot at most, some 90 MB. The more, the nearer each other the places of the index
 * that they go to: in three pairs in turn with half as many, 127 and 108, 118 and 105, 124 and 99
 * thousand rows a second.
 */
export const JOURNAL_ROWS_MAX = 262_144;
/** A place's room in the sort key: more than a snapshot and one block have rows. */
const PLACES: number = 2 ** 20;
/** Sorts behind all accounts, which are below 2^30. */
const NO_ACCOUNT: number = 2 ** 30;
const START_ROWS = 1_024;

/** Rows of one snapshot. */
export class JournalBatch {
  readonly #writer = new CopyWriter();
  #starts: Uint32Array = new Uint32Array(START_ROWS);
  #accountIds: Uint32Array = new Uint32Array(START_ROWS);
  deferred: JournalRow[] = [];
  /** The rows' order by account, as long as no row came behind them. */
  #order: Float64Array | null = null;

  /** Rows written and deferred. */
  get rowCount(): number {
    return this.#writer.rowCount + this.deferred.length;
  }

  /** The rows written, one behind another; valid until the next one. */
  get bytes(): Uint8Array {
    return this.#writer.rows;
  }

  /** Forgets all rows and keeps the memory: nothing uses the bytes any more. */
  clear(): void {
    this.#writer.clear();
    this.#order = null;
    this.deferred = [];
  }

  /** Writes a row; the row may be used again. */
  add(row: JournalRow): void {
    const index = this.#writer.rowCount;
    assert(index < PLACES, 'rows of a snapshot have a place in the sort key');
    if (index === this.#starts.length) this.#grow();
    this.#order = null;
    this.#starts[index] = this.#writer.byteCount;
    this.#accountIds[index] = row.accountId < 0 ? NO_ACCOUNT : row.accountId;
    writeRow(this.#writer, row);
  }

  /** Keeps a copy of a row until it is resolved. */
  defer(row: JournalRow): void {
    this.deferred.push(copyRow(row));
  }

  /** Where the rows of these accounts begin in `bytes`. */
  startsOf(accountIds: ReadonlySet<number>): number[] {
    const starts: number[] = [];
    for (let index = 0; index < this.#writer.rowCount; index += 1) {
      if (accountIds.has(this.#accountIds[index])) starts.push(this.#starts[index]);
    }
    return starts;
  }

  /** Finds the order of the rows written so far: account by account, each in the log's order. */
  sort(): Float64Array {
    if (this.#order !== null) return this.#order;
    const { rowCount } = this.#writer;
    const order = new Float64Array(rowCount);
    for (let index = 0; index < rowCount; index += 1) {
      order[index] = this.#accountIds[index] * PLACES + index;
    }
    this.#order = order.sort();
    return this.#order;
  }

  /**
   * All rows in that order, in pieces of whole rows of about this size, each made when it is asked
   * for: Postgres takes the one before meanwhile. A piece is valid until the next but one is asked
   * for, and until the next row or clear().
   */
  *sorted(pieceBytes: number): Generator<Uint8Array> {
    const order = this.sort();
    const { rowCount, byteCount } = this.#writer;
    // Behind the rows, room for two pieces, used in turn.
    const bytes = this.#writer.makeRoom(2 * pieceBytes);
    let pieceFrom = byteCount;
    let to = pieceFrom;
    for (const key of order) {
      const index = key % PLACES;
      const start = this.#starts[index];
      const end = index + 1 < rowCount ? this.#starts[index + 1] : byteCount;
      if (to + end - start > pieceFrom + pieceBytes) {
        assert(to > pieceFrom, 'a piece takes at least one row');
        yield bytes.subarray(pieceFrom, to);
        pieceFrom = pieceFrom === byteCount ? byteCount + pieceBytes : byteCount;
        to = pieceFrom;
      }
      bytes.copyWithin(to, start, end);
      to += end - start;
    }
    if (to > pieceFrom) yield bytes.subarray(pieceFrom, to);
  }

  #grow(): void {
    const starts = new Uint32Array(this.#starts.length * 2);
    const accountIds = new Uint32Array(starts.length);
    starts.set(this.#starts);
    accountIds.set(this.#accountIds);
    this.#starts = starts;
    this.#accountIds = accountIds;
  }
}
