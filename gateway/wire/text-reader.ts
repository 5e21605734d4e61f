// Reads one text of a transaction into its column: the place in the frame, not a copy. What is
// wrong with it is noted in the row's `problem`; BROKEN is returned only when the bytes end early.
// Free functions over typed arrays, called by the lane's thread for each id of each transaction.
import { ResultCode } from '../../core/result-codes.ts';
import type {
  FrameSource,
  TextColumn,
  TransactionColumns,
} from '../../core/transaction-columns.ts';
import { BROKEN, NIL, passOver } from './msgpack-value.ts';
import { isPlainText, isWellFormedText } from './text-form.ts';

/** What a text is, as far as its reader must know. */
export const TextForm = {
  /** Well-formed UTF-8 without control characters; one that is too long is id_too_long. */
  id: 0,
  /** The same, but too_large. */
  phrase: 1,
  /** Well-formed UTF-8; too_large. */
  document: 2,
  /** Any bytes, as str or bin; too_large. */
  bytes: 3,
} as const;

/** One of the numbers in TextForm. */
export type TextForm = (typeof TextForm)[keyof typeof TextForm];

/** Longer than any text may be: sends other forms the slow way. */
const SLOW = 0xffff;

// unknown_kind hides malformed, that hides id_too_long, that hides too_large (wallet-rules.md).
const RANK: Uint8Array = new Uint8Array(256);
RANK[ResultCode.tooLarge] = 1;
RANK[ResultCode.idTooLong] = 2;
RANK[ResultCode.malformed] = 3;
RANK[ResultCode.unknownKind] = 4;

/** Notes what is wrong with a row; of several problems the first in the rules' order stays. */
export function noteProblem(columns: TransactionColumns, row: number, problem: number): void {
  if (RANK[problem] > RANK[columns.problem[row]]) columns.problem[row] = problem;
}

/**
 * Reads an id, the hot case: a str of up to 255 bytes. Returns the offset behind it or BROKEN; nil
 * and '' are a length of 0. Five parameters and more: an object here costs 10 ns an id.
 */
export function readId(
  source: FrameSource,
  at: number,
  end: number,
  columns: TransactionColumns,
  column: TextColumn,
  row: number,
  bytesMax: number,
): number {
  if (at >= end) return BROKEN;
  const view = source.view;
  const head = view.getUint8(at);
  let start = at + 1;
  let byteCount = head & 0x1f;
  if (head === NIL) {
    column.byteCount[row] = 0;
    return start;
  }
  if (head === 0xd9) {
    if (start >= end) return BROKEN;
    byteCount = view.getUint8(start);
    start += 1;
  } else if ((head & 0xe0) !== 0xa0) byteCount = SLOW;
  const next = start + byteCount;
  if (byteCount > bytesMax || next > end || !isPlainText(view, start, byteCount)) {
    return readAnyText(source, at, end, columns, column, row, TextForm.id, bytesMax);
  }
  column.at[row] = start;
  column.byteCount[row] = byteCount;
  return next;
}

/** Reads a text of any form and length head; the offset behind it or BROKEN. */
export function readAnyText(
  source: FrameSource,
  at: number,
  end: number,
  columns: TransactionColumns,
  column: TextColumn,
  row: number,
  form: TextForm,
  bytesMax: number,
): number {
  column.byteCount[row] = 0;
  const next = passOver(source.view, at, end);
  if (next === BROKEN) return BROKEN;
  const head = source.view.getUint8(at);
  if (head === NIL) return next;
  const headBytes = textHeadBytes(head, form === TextForm.bytes);
  if (headBytes === 0) {
    noteProblem(columns, row, ResultCode.malformed);
    return next;
  }
  const start = at + headBytes;
  const byteCount = next - start;
  if (form !== TextForm.bytes) {
    const controlsAllowed = form === TextForm.document;
    if (!isWellFormedText(source.bytes, start, byteCount, controlsAllowed)) {
      noteProblem(columns, row, ResultCode.malformed);
      return next;
    }
  }
  if (byteCount > bytesMax) {
    noteProblem(columns, row, form === TextForm.id ? ResultCode.idTooLong : ResultCode.tooLarge);
    return next;
  }
  column.at[row] = start;
  column.byteCount[row] = byteCount;
  return next;
}

/** Bytes of a str's head (or a bin's where it is allowed); 0 for a value of another type. */
export function textHeadBytes(head: number, binAllowed: boolean): number {
  if ((head & 0xe0) === 0xa0) return 1;
  if (head >= 0xd9 && head <= 0xdb) return 1 + (1 << (head - 0xd9));
  return binAllowed && head >= 0xc4 && head <= 0xc6 ? 1 + (1 << (head - 0xc4)) : 0;
}
