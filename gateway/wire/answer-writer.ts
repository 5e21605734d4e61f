// Writes the answers of kassa.v1 into an AnswerBuffer. An answer's position is written as 0 and
// filled in when its block is durable and numbered. Lane's thread only; nothing is allocated.
//
//   [1, requestId, position, [outcome, …]]        batches, independent and atomic
//   [3, requestId, position, [balance, …]]        balances
//   [4, requestId, position]                      ping
//   [9, requestId, code, text]                    the whole request was refused
import { Kind } from '../../core/kinds.ts';
import type { OutcomeColumns } from '../../core/outcome-columns.ts';
import {
  type AnswerBuffer,
  putWhole,
  setLong,
  writeArrayHead,
  writeLong,
  writeShortText,
  writeWhole,
} from './answer-buffer.ts';

/** The longest head of an answer: array, type, request id, position, list. */
const HEAD_BYTES_MAX = 1 + 1 + 9 + 9 + 3;
/** The longest outcome: array head, code, flags, seven long numbers, status. */
const OUTCOME_BYTES_MAX = 1 + 2 + 1 + 7 * 9 + 1;
const BALANCE_BYTES_MAX = 1 + 1 + 3 * 9 + 1 + 1;
const REFUSAL_BYTES_MAX = 1 + 1 + 9 + 1 + 2 + 255;

/**
 * Writes the head of an answer of `type`, followed by a list's head for types 1 and 3, and returns
 * the mark of its position, for `fillPosition`.
 */
export function writeAnswerHead(
  buffer: AnswerBuffer,
  type: 1 | 3 | 4,
  requestId: number,
  elementCount: number,
): number {
  buffer.reserve(HEAD_BYTES_MAX);
  writeArrayHead(buffer, type === 4 ? 3 : 4);
  writeWhole(buffer, type);
  writeWhole(buffer, requestId);
  const positionMark = buffer.mark;
  writeLong(buffer, 0);
  if (type !== 4) writeArrayHead(buffer, elementCount);
  return positionMark;
}

/** Fills in the position of an answer that is not sent yet. */
export function fillPosition(buffer: AnswerBuffer, positionMark: number, position: number): void {
  setLong(buffer.view, positionMark - buffer.base + 1, position);
}

/** Writes the outcomes of rows `from` to `until` − 1; `kinds` are the rows' kinds. */
export function writeOutcomes(
  buffer: AnswerBuffer,
  outcomes: OutcomeColumns,
  kinds: Uint8Array,
  from: number,
  until: number,
): void {
  buffer.reserve((until - from) * OUTCOME_BYTES_MAX);
  const { view } = buffer;
  const { sequence, code } = outcomes;
  let at = buffer.usedBytes;
  for (let row = from; row < until; row += 1) {
    if (sequence[row] === 0) at = putWhole(view, at, code[row]);
    else at = putRecord(view, at, outcomes, row, kinds[row] === Kind.setStatus);
  }
  buffer.usedBytes = at;
}

function putRecord(
  view: DataView,
  start: number,
  outcomes: OutcomeColumns,
  row: number,
  isSetStatus: boolean,
): number {
  view.setUint16(start, ((isSetStatus ? 0x9a : 0x99) << 8) | outcomes.code[row]);
  view.setUint8(start + 2, outcomes.flags[row]);
  let at = putWhole(view, start + 3, outcomes.sequence[row]);
  at = putWhole(view, at, outcomes.timeMs[row]);
  at = putWhole(view, at, outcomes.cashMinor[row]);
  at = putWhole(view, at, outcomes.bonusMinor[row]);
  at = putWhole(view, at, outcomes.heldMinor[row]);
  at = putWhole(view, at, outcomes.cashMovedMinor[row]);
  at = putWhole(view, at, outcomes.bonusMovedMinor[row]);
  return isSetStatus ? putWhole(view, at, outcomes.extra[row]) : at;
}

/** Writes the same unrecorded code as often as told: the rest of a frame that broke. */
export function writeCodes(buffer: AnswerBuffer, code: number, count: number): void {
  buffer.reserve(count * 2);
  for (let written = 0; written < count; written += 1) writeWhole(buffer, code);
}

/** The account's balances as a read shows them. */
export interface BalanceRow {
  readonly cashMinor: number;
  readonly bonusMinor: number;
  readonly heldMinor: number;
  readonly status: number;
}

/** Writes `[0, cash, bonus, held, status, 0]`. */
export function writeBalance(buffer: AnswerBuffer, balance: BalanceRow): void {
  buffer.reserve(BALANCE_BYTES_MAX);
  writeArrayHead(buffer, 6);
  writeWhole(buffer, 0);
  writeWhole(buffer, balance.cashMinor);
  writeWhole(buffer, balance.bonusMinor);
  writeWhole(buffer, balance.heldMinor);
  writeWhole(buffer, balance.status);
  writeWhole(buffer, 0);
}

/** Writes `[9, requestId, code, text]`. */
export function writeRefusal(
  buffer: AnswerBuffer,
  requestId: number,
  code: number,
  text: string,
): void {
  buffer.reserve(REFUSAL_BYTES_MAX);
  writeArrayHead(buffer, 4);
  writeWhole(buffer, 9);
  writeWhole(buffer, requestId);
  writeWhole(buffer, code);
  writeShortText(buffer, text);
}
