// Decodes the transactions of requests into the columns of a slice: plain ones many at a time by a
// WebAssembly function over a copy of their bytes (plain-transaction-code.ts), all others one by
// one. The columns lie in the function's memory. One per slice, its thread only.
import { assert } from '../../core/assert.ts';
import { ColumnMemory } from '../../core/column-memory.ts';
import { TransactionColumns } from '../../core/transaction-columns.ts';
import {
  NONSENSE_BYTES_MAX,
  plainTransactionModule,
  RESULT_BYTES,
  ResultWord,
} from './plain-transaction-code.ts';
import { readTransactions } from './transaction-reader.ts';
import type { TransactionRun } from './transaction-run.ts';

/** With fewer than these the copy costs more than the function saves. */
const PLAIN_ROWS_MIN = 4;

/**
 * So many turns of the function may end at a strange transaction, and so cost more than they save,
 * until all that are left are decoded one by one.
 */
const STRANGE_TURNS_MAX = 4;

/** The bytes of some hundred transactions. */
const STAGE_BYTES = 131_072;
const PAGE_BYTES = 65_536;

const STAGE_AT: number = RESULT_BYTES;
const COLUMNS_AT: number = STAGE_AT + STAGE_BYTES + NONSENSE_BYTES_MAX;
const MEMORY_PAGES: number = Math.ceil((COLUMNS_AT + columnBytes()) / PAGE_BYTES);

const plainTransactions = new WebAssembly.Module(
  plainTransactionModule(columnsIn(new ArrayBuffer(MEMORY_PAGES * PAGE_BYTES)), MEMORY_PAGES),
);

/** See the head of this file. */
export class FrameDecoder {
  readonly columns: TransactionColumns;
  readonly #decodeRows: (...parameters: number[]) => void;
  readonly #bytes: Uint8Array;
  readonly #results: Int32Array;

  constructor() {
    const { memory, decode } = new WebAssembly.Instance(plainTransactions).exports;
    this.columns = columnsIn(memory.buffer);
    this.#decodeRows = decode;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#results = new Int32Array(memory.buffer);
  }

  /** As readTransactions, whose promises it keeps. */
  decode(run: TransactionRun, rowsMax: number, bytesMax: number): boolean {
    const { columns } = this;
    const rowsEnd = Math.min(columns.count + Math.min(rowsMax, run.remaining), columns.capacity);
    const pauseAt = run.at + bytesMax;
    run.isInterrupted = false;
    let strangeTurns = 0;
    while (columns.count < rowsEnd && run.at < pauseAt && !run.isInterrupted) {
      const rowCount = rowsEnd - columns.count;
      const maybePlain = strangeTurns < STRANGE_TURNS_MAX && rowCount >= PLAIN_ROWS_MIN;
      if (maybePlain) {
        if (this.#decodePlain(run, rowCount, pauseAt)) continue;
        strangeTurns += 1;
      }
      // The strange one alone, or all that are left.
      const goesOn = maybePlain && strangeTurns < STRANGE_TURNS_MAX;
      const count = goesOn ? 1 : rowsEnd - columns.count;
      if (!readTransactions(run, columns, count, pauseAt - run.at)) return false;
    }
    return true;
  }

  /** Fills rows up to the first that is not plain; false where it came to one. */
  #decodePlain(run: TransactionRun, rowCount: number, pauseAt: number): boolean {
    const { columns } = this;
    const row = columns.count;
    const { at, sender, source } = run;
    const meanBytes = (run.end - at) / run.remaining;
    // A little more than the mean: those that do not fit are decoded in another turn.
    const wantedBytes = Math.ceil(rowCount * meanBytes * 1.125);
    const byteCount = Math.min(run.end - at, wantedBytes, STAGE_BYTES);
    this.#bytes.set(source.bytes.subarray(at, at + byteCount), STAGE_AT);
    const distance = at - STAGE_AT;
    const end = STAGE_AT + byteCount;
    this.#decodeRows(
      STAGE_AT,
      end,
      Math.min(end, pauseAt - distance),
      distance,
      row,
      row + rowCount,
    );
    const rowsEnd = this.#results[ResultWord.row];
    assert(rowsEnd >= row && rowsEnd <= row + rowCount, 'rows that were asked for are filled');
    columns.sourceIndex.fill(run.sourceIndex, row, rowsEnd);
    columns.kindsAllowed.fill(sender.kindsAllowed, row, rowsEnd);
    columns.operator.fill(sender.operatorNumber, row, rowsEnd);
    columns.provider.fill(sender.providerNumber, row, rowsEnd);
    run.at = this.#results[ResultWord.at] + distance;
    run.remaining -= rowsEnd - row;
    columns.count = rowsEnd;
    // What is cut off at the end of the copy looks strange; it is not if some came before it.
    const isAtCopyEnd = byteCount < run.end - at && rowsEnd > row;
    return isAtCopyEnd || rowsEnd === row + rowCount || run.at >= pauseAt;
  }
}

function columnsIn(memory: ArrayBuffer): TransactionColumns {
  return new TransactionColumns(undefined, new ColumnMemory(memory, COLUMNS_AT));
}

function columnBytes(): number {
  const counted = new ColumnMemory();
  void new TransactionColumns(undefined, counted);
  return counted.byteCount;
}
