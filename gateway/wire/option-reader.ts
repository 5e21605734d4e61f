// Reads the map of a transaction's rare fields (its last element). A key that is unknown or stands
// twice makes the transaction malformed, so that a misspelt field is never dropped in silence.
// Lane's thread only; the names of operators and providers are looked up by the sender.
import { Field } from '../../core/kinds.ts';
import { DEFINITION_BYTES_MAX, ID_BYTES_MAX, REASON_BYTES_MAX } from '../../core/limits.ts';
import { ResultCode } from '../../core/result-codes.ts';
import type {
  FrameSource,
  TextColumn,
  TransactionColumns,
} from '../../core/transaction-columns.ts';
import {
  BROKEN,
  countHeadBytes,
  NIL,
  passOver,
  readMapCount,
  readWholeNumber,
} from './msgpack-value.ts';
import { isWellFormedText } from './text-form.ts';
import { noteProblem, readAnyText, TextForm, textHeadBytes } from './text-reader.ts';
import type { TransactionRun } from './transaction-run.ts';

/** The names of the options, in the order of their numbers in this file. */
export const OPTION_NAMES = [
  'of',
  'to',
  'bucket',
  'reason',
  'expiresIn',
  'status',
  'provider',
  'operator',
  'definition',
] as const;

/** The statuses of an account by their numbers in the core. */
export const STATUS_NAMES = ['active', 'betLocked', 'frozen', 'closed'] as const;

type OptionName = (typeof OPTION_NAMES)[number];

const KNOWN_OPTIONS: readonly string[] = OPTION_NAMES;
const KNOWN_STATUSES: readonly string[] = STATUS_NAMES;
const OPTION_NAME_BYTES_MAX = 16;
const scratch: Float64Array = new Float64Array(1);
const place: TextColumn = { at: new Uint32Array(1), byteCount: new Uint16Array(1) };

/** Where one option's value is read from and into. */
interface OptionPlace {
  readonly run: TransactionRun;
  readonly end: number;
  readonly columns: TransactionColumns;
  readonly row: number;
  readonly isSetOperator: boolean;
}

/** Reads the options at `at`; the offset behind them or BROKEN. nil is an empty map. */
export function readOptions(
  run: TransactionRun,
  at: number,
  end: number,
  columns: TransactionColumns,
  row: number,
  isSetOperator: boolean,
): number {
  const view = run.source.view;
  const pairs = readMapCount(view, at, end);
  if (pairs === BROKEN) return BROKEN;
  const option: OptionPlace = { run, end, columns, row, isSetOperator };
  if (pairs < 0 || pairs > OPTION_NAMES.length) {
    if (view.getUint8(at) !== NIL) noteProblem(columns, row, ResultCode.malformed);
    return passOver(view, at, end);
  }
  let next = at + countHeadBytes(view, at);
  let seen = 0;
  for (let pair = 0; pair < pairs; pair += 1) {
    const keyAt = next;
    next = passOver(view, keyAt, end);
    if (next === BROKEN) return BROKEN;
    const number = optionNumber(run.source, keyAt, next);
    if (number < 0 || (seen & (1 << number)) !== 0) {
      noteProblem(columns, row, ResultCode.malformed);
      next = passOver(view, next, end);
    } else {
      seen |= 1 << number;
      next = readOption(option, OPTION_NAMES[number], next);
    }
    if (next === BROKEN) return BROKEN;
  }
  return next;
}

function optionNumber(source: FrameSource, at: number, next: number): number {
  const headBytes = textHeadBytes(source.view.getUint8(at), false);
  if (headBytes === 0 || next - at > OPTION_NAME_BYTES_MAX) return -1;
  const name = textOf(source, at + headBytes, next - at - headBytes);
  return KNOWN_OPTIONS.indexOf(name);
}

function readOption(option: OptionPlace, name: OptionName, at: number): number {
  const { columns, end, run } = option;
  const view = run.source.view;
  if (at < end && view.getUint8(at) === NIL) return at + 1;
  switch (name) {
    case 'of':
      return readChoice(option, at, ['bet', 'win'], Field.ofWin);
    case 'bucket':
      return readChoice(option, at, ['cash', 'bonus'], Field.bucketBonus);
    case 'status':
      return readStatus(option, at);
    case 'to':
      return readTextOption(option, at, columns.to, Field.to);
    case 'reason':
      return readTextOption(option, at, columns.reason, Field.reason);
    case 'definition':
      return readTextOption(option, at, columns.definition, Field.definition);
    case 'expiresIn':
      return readExpiresIn(option, at);
    case 'operator':
    case 'provider':
      return readOwner(option, name, at);
  }
}

function readTextOption(
  option: OptionPlace,
  at: number,
  column: TextColumn,
  field: number,
): number {
  const { columns, end, row, run } = option;
  const isId = field === Field.to;
  const isReason = field === Field.reason;
  const form = isId ? TextForm.id : isReason ? TextForm.phrase : TextForm.document;
  const bytesMax = isId ? ID_BYTES_MAX : isReason ? REASON_BYTES_MAX : DEFINITION_BYTES_MAX;
  const next = readAnyText(run.source, at, end, columns, column, row, form, bytesMax);
  if (next !== BROKEN && column.byteCount[row] > 0) columns.fields[row] |= field;
  return next;
}

function readExpiresIn(option: OptionPlace, at: number): number {
  const { columns, end, row, run } = option;
  const next = readWholeNumber(run.source.view, at, end, scratch, 0);
  if (next === BROKEN) return BROKEN;
  if (Number.isNaN(scratch[0])) noteProblem(columns, row, ResultCode.malformed);
  else {
    columns.expiresInMs[row] = scratch[0];
    columns.fields[row] |= Field.expiresIn;
  }
  return next;
}

// A choice of two words: the first is the default, which counts as absent (rule 3).
function readChoice(
  option: OptionPlace,
  at: number,
  words: readonly [string, string],
  field: number,
): number {
  const next = readName(option, at);
  if (next === BROKEN) return BROKEN;
  const word = namedText(option);
  if (word === words[1]) option.columns.fields[option.row] |= field;
  else if (word !== words[0] && word !== '')
    noteProblem(option.columns, option.row, ResultCode.malformed);
  return next;
}

function readStatus(option: OptionPlace, at: number): number {
  const next = readName(option, at);
  if (next === BROKEN) return BROKEN;
  const word = namedText(option);
  if (word === '') return next;
  const status = KNOWN_STATUSES.indexOf(word);
  if (status < 0) noteProblem(option.columns, option.row, ResultCode.malformed);
  else {
    option.columns.status[option.row] = status;
    option.columns.fields[option.row] |= Field.status;
  }
  return next;
}

// A name that the sender may not use takes all kinds from the row: the core answers `forbidden`
// at that code's place in the order of refusals.
function readOwner(option: OptionPlace, name: 'operator' | 'provider', at: number): number {
  const { columns, row, run } = option;
  const next = readName(option, at);
  if (next === BROKEN || place.byteCount[0] === 0) return next;
  const text = namedText(option);
  const isOperator = name === 'operator';
  const number = isOperator ? run.sender.findOperator(text) : run.sender.findProvider(text);
  if (number < 0) columns.kindsAllowed[row] = 0;
  else if (isOperator) columns.operator[row] = number;
  else columns.provider[row] = number;
  if (isOperator && option.isSetOperator) {
    // A player beside it is no field of setOperator: its bit stays set and the core refuses it.
    columns.player.at[row] = place.at[0];
    columns.player.byteCount[row] = place.byteCount[0];
  }
  return next;
}

// Reads an id-like text into `place`; what is wrong with it is noted in the row.
function readName(option: OptionPlace, at: number): number {
  const { columns, end, row, run } = option;
  place.byteCount[0] = 0;
  const next = passOver(run.source.view, at, end);
  if (next === BROKEN) return BROKEN;
  const headBytes = textHeadBytes(run.source.view.getUint8(at), false);
  const byteCount = next - at - headBytes;
  if (headBytes === 0 || !isWellFormedText(run.source.bytes, at + headBytes, byteCount)) {
    noteProblem(columns, row, ResultCode.malformed);
  } else if (byteCount > ID_BYTES_MAX) noteProblem(columns, row, ResultCode.idTooLong);
  else {
    place.at[0] = at + headBytes;
    place.byteCount[0] = byteCount;
  }
  return next;
}

function namedText(option: OptionPlace): string {
  return textOf(option.run.source, place.at[0], place.byteCount[0]);
}

const decoder = new TextDecoder();

function textOf(source: FrameSource, at: number, byteCount: number): string {
  return decoder.decode(source.bytes.subarray(at, at + byteCount));
}
