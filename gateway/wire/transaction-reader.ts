// Decodes the transactions of a request straight into the core's columns, made for the one schema
// of kassa.v1 (PROTOCOL: 3 to 12 elements by position, the rest absent). It can stop after any
// transaction and go on later, so that a frame of 10,000 is worked in slices. Lane's thread only.
// Nothing is allocated for a transaction without options.
//
//   0 kind  1 transactionId  2 player  3 currency  4 amount  5 round  6 flags  7 reference  8 game
//   9 metadata  10 sentAt  11 options (a map, see option-reader.ts)
import { assert } from '../../core/assert.ts';
import { Field, isSentKind, Kind, SENT_KIND_MAX } from '../../core/kinds.ts';
import { CURRENCY_BYTES_MAX, ID_BYTES_MAX, METADATA_BYTES_MAX } from '../../core/limits.ts';
import { ResultCode } from '../../core/result-codes.ts';
import type { FrameSource, TransactionColumns } from '../../core/transaction-columns.ts';
import {
  BROKEN,
  countHeadBytes,
  NIL,
  passOver,
  readArrayCount,
  readWholeNumber,
} from './msgpack-value.ts';
import { readOptions } from './option-reader.ts';
import { noteProblem, readAnyText, readId, TextForm } from './text-reader.ts';
import type { TransactionRun } from './transaction-run.ts';

/**
 * The longest encoded transaction: a definition and every other text fit twice. What goes beyond
 * breaks the frame, so that passing over junk cannot stretch a slice.
 */
export const TRANSACTION_BYTES_MAX = 65_536;

const ELEMENTS_MIN = 3;
const ELEMENTS_MAX = 12;

const scratch: Float64Array = new Float64Array(1);

/**
 * The columns were emptied by emptyColumns before. Appends up to `rowsMax` transactions of the run
 * to the columns and moves the run on, stopping early once `bytesMax` bytes were read, and behind a
 * setOperator or setClient. False when the structure is broken: the rows before the break are
 * there, `run.remaining` counts the one at which it broke and all after it.
 */
export function readTransactions(
  run: TransactionRun,
  columns: TransactionColumns,
  rowsMax: number,
  bytesMax: number,
): boolean {
  const rowsEnd = Math.min(columns.count + Math.min(rowsMax, run.remaining), columns.capacity);
  const pauseAt = run.at + bytesMax;
  const sender = run.sender;
  let row = columns.count;
  let isBroken = false;
  run.isInterrupted = false;
  while (row < rowsEnd && run.at < pauseAt && !run.isInterrupted) {
    columns.sourceIndex[row] = run.sourceIndex;
    columns.kindsAllowed[row] = sender.kindsAllowed;
    columns.operator[row] = sender.operatorNumber;
    columns.provider[row] = sender.providerNumber;
    const end = Math.min(run.end, run.at + TRANSACTION_BYTES_MAX);
    const next = readTransaction(run, end, columns, row);
    if (next === BROKEN) {
      clearRows(columns, row, row + 1);
      isBroken = true;
      break;
    }
    run.at = next;
    run.remaining -= 1;
    run.isInterrupted = columns.kind[row] >= Kind.setOperator;
    row += 1;
  }
  columns.count = row;
  assert(run.remaining >= 0, 'no more transactions are decoded than announced');
  return !isBroken;
}

function readTransaction(
  run: TransactionRun,
  end: number,
  columns: TransactionColumns,
  row: number,
): number {
  const view = run.source.view;
  const elements = readArrayCount(view, run.at, end);
  if (elements === BROKEN) return BROKEN;
  if (elements < ELEMENTS_MIN || elements > ELEMENTS_MAX) {
    columns.problem[row] = ResultCode.malformed;
    columns.kind[row] = 0;
    return passOver(view, run.at, end);
  }
  let at = readKind(view, run.at + countHeadBytes(view, run.at), end, columns, row);
  if (at === BROKEN) return BROKEN;
  at = readPlaceAndAmount(run.source, at, end, columns, row, elements);
  if (at === BROKEN || elements <= 5) return at;
  at = readPlay(run.source, at, end, columns, row, elements);
  if (at === BROKEN || elements <= 9) return at;
  return readRest(run, at, end, columns, row, elements);
}

/**
 * Empties the columns for the next slice. Rows are cleared here, all at once, and not when they are
 * read: 14 fills a slice cost less than 14 stores a transaction (70 ns).
 */
export function emptyColumns(columns: TransactionColumns): void {
  clearRows(columns, 0, columns.count);
  columns.count = 0;
  columns.sources.length = 0;
}

function clearRows(columns: TransactionColumns, from: number, until: number): void {
  columns.problem.fill(0, from, until);
  columns.fields.fill(0, from, until);
  columns.amountMinor.fill(0, from, until);
  columns.sentAtMs.fill(0, from, until);
  columns.expiresInMs.fill(0, from, until);
  columns.status.fill(0, from, until);
  columns.currency.byteCount.fill(0, from, until);
  columns.round.byteCount.fill(0, from, until);
  columns.reference.byteCount.fill(0, from, until);
  columns.game.byteCount.fill(0, from, until);
  columns.metadata.byteCount.fill(0, from, until);
  columns.to.byteCount.fill(0, from, until);
  columns.reason.byteCount.fill(0, from, until);
  columns.definition.byteCount.fill(0, from, until);
}

function readKind(
  view: DataView,
  at: number,
  end: number,
  columns: TransactionColumns,
  row: number,
): number {
  if (at >= end) return BROKEN;
  const head = view.getUint8(at);
  if (head >= 1 && head <= SENT_KIND_MAX) {
    columns.kind[row] = head;
    return at + 1;
  }
  const next = readWholeNumber(view, at, end, scratch, 0);
  const kind = scratch[0];
  const known = next !== BROKEN && isSentKind(kind);
  columns.kind[row] = known ? kind : 0;
  if (!known) {
    columns.problem[row] = Number.isNaN(kind) ? ResultCode.malformed : ResultCode.unknownKind;
  }
  return next;
}

// Elements 1 to 4. setOperator has no player: its column takes the option `operator` instead.
function readPlaceAndAmount(
  source: FrameSource,
  start: number,
  end: number,
  columns: TransactionColumns,
  row: number,
  elements: number,
): number {
  let fields = 0;
  let at = readId(source, start, end, columns, columns.transactionId, row, ID_BYTES_MAX);
  if (at === BROKEN) return BROKEN;
  if (columns.transactionId.byteCount[row] === 0)
    noteProblem(columns, row, missingCode(columns, row));
  at = readId(source, at, end, columns, columns.player, row, ID_BYTES_MAX);
  if (at === BROKEN) return BROKEN;
  if (columns.player.byteCount[row] > 0) fields |= Field.player;
  if (elements > 3) {
    at = readId(source, at, end, columns, columns.currency, row, CURRENCY_BYTES_MAX);
    if (at === BROKEN) return BROKEN;
    if (columns.currency.byteCount[row] > 0) fields |= Field.currency;
  }
  if (elements > 4) {
    if (at >= end) return BROKEN;
    if (source.view.getUint8(at) === NIL) at += 1;
    else {
      at = readWholeNumber(source.view, at, end, columns.amountMinor, row);
      if (at === BROKEN) return BROKEN;
      fields |= Field.amount;
      if (Number.isNaN(columns.amountMinor[row])) refuseNumber(columns, row, columns.amountMinor);
    }
  }
  columns.fields[row] = fields;
  return at;
}

// An id that is too long was noted as that; one that is missing makes the transaction malformed.
function missingCode(columns: TransactionColumns, row: number): number {
  const noted = columns.problem[row];
  return noted === ResultCode.idTooLong ? noted : ResultCode.malformed;
}

function refuseNumber(columns: TransactionColumns, row: number, column: Float64Array): void {
  column[row] = 0;
  noteProblem(columns, row, ResultCode.malformed);
}

// Elements 5 to 8: round, flags, reference, game. nil, which most of them are, is passed over here:
// a call costs 10 ns.
function readPlay(
  source: FrameSource,
  start: number,
  end: number,
  columns: TransactionColumns,
  row: number,
  elements: number,
): number {
  let fields = columns.fields[row];
  const view = source.view;
  let at = start;
  if (at < end && view.getUint8(at) === NIL) at += 1;
  else {
    at = readId(source, at, end, columns, columns.round, row, ID_BYTES_MAX);
    if (at === BROKEN) return BROKEN;
    if (columns.round.byteCount[row] > 0) fields |= Field.round;
  }
  if (elements > 6) {
    if (at >= end) return BROKEN;
    if (source.view.getUint8(at) === NIL) at += 1;
    else {
      at = readWholeNumber(source.view, at, end, scratch, 0);
      if (at === BROKEN) return BROKEN;
      const flags = scratch[0];
      if (!(flags >= 0 && flags <= 3)) noteProblem(columns, row, ResultCode.malformed);
      if ((flags & 1) !== 0) fields |= Field.roundEnd;
      if ((flags & 2) !== 0) fields |= Field.stakeless;
    }
  }
  if (elements > 7) {
    if (at < end && view.getUint8(at) === NIL) at += 1;
    else {
      at = readId(source, at, end, columns, columns.reference, row, ID_BYTES_MAX);
      if (at === BROKEN) return BROKEN;
      if (columns.reference.byteCount[row] > 0) fields |= Field.reference;
    }
  }
  if (elements > 8) {
    if (at < end && view.getUint8(at) === NIL) at += 1;
    else {
      at = readId(source, at, end, columns, columns.game, row, ID_BYTES_MAX);
      if (at === BROKEN) return BROKEN;
      if (columns.game.byteCount[row] > 0) fields |= Field.game;
    }
  }
  columns.fields[row] = fields;
  return at;
}

// Elements 9 to 11: metadata, sentAt, options.
function readRest(
  run: TransactionRun,
  start: number,
  end: number,
  columns: TransactionColumns,
  row: number,
  elements: number,
): number {
  const { source } = run;
  const form = TextForm.bytes;
  const { metadata } = columns;
  let at = readAnyText(source, start, end, columns, metadata, row, form, METADATA_BYTES_MAX);
  if (at === BROKEN) return BROKEN;
  if (metadata.byteCount[row] > 0) columns.fields[row] |= Field.metadata;
  if (elements > 10) {
    if (at >= end) return BROKEN;
    if (source.view.getUint8(at) === NIL) at += 1;
    else {
      at = readWholeNumber(source.view, at, end, columns.sentAtMs, row);
      if (at === BROKEN) return BROKEN;
      columns.fields[row] |= Field.sentAt;
      if (Number.isNaN(columns.sentAtMs[row])) refuseNumber(columns, row, columns.sentAtMs);
    }
  }
  if (elements <= 11) return at;
  return readOptions(run, at, end, columns, row, columns.kind[row] === Kind.setOperator);
}
