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
  writeLong(buffer, 0xcf, 0);
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
  for (let row = from; row < until; row += 1) {
    if (outcomes.sequence[row] === 0) {
      writeWhole(buffer, outcomes.code[row]);
      continue;
    }
    const isSetStatus = kinds[row] === Kind.setStatus;
    const { view, usedBytes: at } = buffer;
    view.setUint16(at, ((isSetStatus ? 0x9a : 0x99) << 8) | outcomes.code[row]);
    view.setUint8(at + 2, outcomes.flags[row]);
    buffer.usedBytes = at + 3;
    writeWhole(buffer, outcomes.sequence[row]);
    writeWhole(buffer, outcomes.timeMs[row]);
    writeWhole(buffer, outcomes.cashMinor[row]);
    writeWhole(buffer, outcomes.bonusMinor[row]);
    writeWhole(buffer, outcomes.heldMinor[row]);
    writeWhole(buffer, outcomes.cashMovedMinor[row]);
    writeWhole(buffer, outcomes.bonusMovedMinor[row]);
    if (isSetStatus) writeWhole(buffer, outcomes.extra[row]);
  }
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
