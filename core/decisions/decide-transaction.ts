// Decides one transaction whose form and hashes are ready: the key first (a repeat or a conflict),
// then the account, then the kind's own rules; then it is applied, recorded and answered.
import { unreachable } from '../assert.ts';
import type { BlockContent } from '../block-content.ts';
import { Field, Kind } from '../kinds.ts';
import type { OutcomeColumns } from '../outcome-columns.ts';
import type { Decision } from '../records/decision.ts';
import { writeRecord } from '../records/record-writer.ts';
import { isRecordedCode, ResultCode } from '../result-codes.ts';
import { OutcomeTrait } from '../tables/outcome-rows.ts';
import type { TransactionColumns } from '../transaction-columns.ts';
import { applyAdministration } from './administration.ts';
import { answerCode, answerDecision, answerOpeningRepeat, answerRepeat } from './answers.ts';
import { applyDecision, takeSequence } from './apply-decision.ts';
import { computeBalances } from './balances.ts';
import { enterOutcome, hasRoomForRound } from './effects.ts';
import { judgeBet } from './judge-bet.ts';
import { judgeHold, judgeHoldEnd, judgeSetStatus } from './judge-hold.ts';
import {
  judgeAdjust,
  judgeBonusOut,
  judgeDeposit,
  judgeGrant,
  judgePayment,
  judgeTransfer,
} from './judge-money.ts';
import { judgeRollback } from './judge-rollback.ts';
import { judgeWin } from './judge-win.ts';
import type { ShardState } from './shard-state.ts';
import type { SliceColumns } from './slice-columns.ts';
import { closeRoundIfDue } from './time-driven.ts';

/** One slice in work: what is decided, at which time, and where the results go. */
export interface Slice {
  readonly columns: TransactionColumns;
  readonly work: SliceColumns;
  readonly outcomes: OutcomeColumns;
  readonly timeMs: number;
  readonly block: BlockContent;
}

/** What is known of a key before it is judged. */
export const KnownKey = { unknown: 0, repeat: 1, conflict: 2 } as const;

/** Decides a row independently and answers it. */
export function decideTransaction(state: ShardState, slice: Slice, row: number): void {
  const { work, outcomes } = slice;
  if (work.code[row] !== ResultCode.ok) {
    answerCode(outcomes, row, work.code[row]);
    return;
  }
  const known = lookUpKey(state, slice, row);
  if (known === KnownKey.repeat) {
    answerKnown(state, slice, row);
    return;
  }
  if (known === KnownKey.conflict) {
    answerCode(outcomes, row, ResultCode.keyConflict);
    return;
  }
  const markRow = state.index.markRow;
  const kind = slice.columns.kind[row];
  if (kind === Kind.setOperator || kind === Kind.setClient) {
    administer(state, slice, row);
    return;
  }
  closeDueRounds(state, slice, row);
  const code = judgeTransaction(state, slice, row, markRow);
  if (isRecordedCode(code)) recordDecision(state, slice, row);
  else answerCode(outcomes, row, code);
}

/** Finds what is known of a row's key; the index keeps the rows found until the next probe. */
export function lookUpKey(state: ShardState, slice: Slice, row: number): number {
  const { index } = state;
  const { keys, owner } = slice.work;
  index.probe(keys.key, row * 4);
  if (index.outcomeRow >= 0) {
    const isSame = index.outcomes.bodyEquals(index.outcomeRow, keys.body, row * 2);
    return isSame ? KnownKey.repeat : KnownKey.conflict;
  }
  if (index.openingRow < 0) return KnownKey.unknown;
  const currency = state.accounts.currency(index.openingAccountRow(index.openingRow));
  return currency === (owner[row] & 0xff) ? KnownKey.repeat : KnownKey.conflict;
}

/** Answers a repeat from what lookUpKey just found. */
export function answerKnown(state: ShardState, slice: Slice, row: number): void {
  const { index } = state;
  const kind = slice.columns.kind[row];
  if (index.outcomeRow < 0) answerOpeningRepeat(slice.outcomes, row, state, index.openingRow);
  else answerRepeat(slice.outcomes, row, state, index.outcomeRow, kind);
}

/** Lets rounds that are due be closed by age before a bet or a win depends on them (rule 29). */
export function closeDueRounds(state: ShardState, slice: Slice, row: number): void {
  const kind = slice.columns.kind[row];
  if (kind !== Kind.bet && kind !== Kind.win) return;
  if (slice.timeMs < state.roundsDueAtMs) return;
  const { index, decision } = state;
  const { keys } = slice.work;
  const fields = slice.columns.fields[row];
  if ((fields & Field.round) !== 0) {
    const roundRow = index.findRound(keys.round, row * 4);
    if (roundRow >= 0) closeRoundIfDue(state, roundRow, slice.timeMs, slice.block);
  }
  if ((fields & Field.reference) === 0) return;
  index.probe(keys.reference, row * 4);
  if (index.outcomeRow < 0) return;
  index.outcomes.readRoundKey(index.outcomeRow, decision.originalRoundKey);
  const roundRow = index.findRound(decision.originalRoundKey, 0);
  if (roundRow >= 0) closeRoundIfDue(state, roundRow, slice.timeMs, slice.block);
}

/**
 * Fills the state's decision for a row with an unknown key and judges it. The code stands in the
 * decision too; on a refusal nothing moves and the balances are the real ones (rule 10).
 */
export function judgeTransaction(
  state: ShardState,
  slice: Slice,
  row: number,
  markRow: number,
): number {
  const { decision } = state;
  beginDecision(state, slice, row, decision);
  let code: number = ResultCode.overloaded;
  if (hasRoom(state, decision)) {
    if (decision.accountRow >= 0) code = judgeKind(state, decision, markRow);
    else code = decision.kind === Kind.open ? ResultCode.ok : ResultCode.accountNotFound;
  }
  decision.code = code;
  if (code !== ResultCode.ok) refuseDecision(slice, row, decision);
  if (decision.accountRow >= 0 && isRecordedCode(code)) computeBalances(state, decision);
  return code;
}

/** Applies the judged decision, appends its record and answers it. */
export function recordDecision(state: ShardState, slice: Slice, row: number): void {
  const { decision } = state;
  takeSequence(state, decision);
  if (decision.accountRow < 0) openAccount(state, slice, row, decision);
  else applyDecision(state, decision);
  writeRecord(slice.block, decision, slice.columns, row);
  answerDecision(slice.outcomes, row, decision);
}

/** A refusal moves nothing and joins nothing: what judging found meanwhile is forgotten. */
export function refuseDecision(slice: Slice, row: number, decision: Decision): void {
  decision.clearMoves();
  decision.extra = 0;
  decision.traits &= OutcomeTrait.roundNamed;
  if (decision.kind !== Kind.win) return;
  if ((decision.fields & Field.round) === 0) decision.roundKey.fill(0);
  else copyKey(slice.work.keys.round, row * 4, decision.roundKey);
}

function beginDecision(state: ShardState, slice: Slice, row: number, decision: Decision): void {
  const { columns, work } = slice;
  const { keys } = work;
  const word = row * 4;
  decision.begin(columns.kind[row], columns.fields[row], slice.timeMs);
  decision.owner = work.owner[row];
  decision.provider = columns.provider[row];
  decision.amountMinor = columns.amountMinor[row];
  decision.expiresInMs = columns.expiresInMs[row];
  decision.status = columns.status[row];
  copyKey(keys.key, word, decision.key);
  decision.bodyHash[0] = keys.body[row * 2];
  decision.bodyHash[1] = keys.body[row * 2 + 1];
  decision.accountRow = work.accountRow[row];
  if (decision.accountRow < 0) decision.accountRow = findAccount(state, slice, row);
  if ((decision.fields & Field.reference) !== 0) {
    copyKey(keys.reference, word, decision.referenceKey);
  }
  if ((decision.fields & Field.round) !== 0) {
    copyKey(keys.round, word, decision.roundKey);
    decision.traits = OutcomeTrait.roundNamed;
  } else if (decision.kind === Kind.bet) {
    state.keys.hashNamelessRound(decision.key, 0, decision.roundKey, 0);
  } else {
    clearKey(decision.roundKey);
  }
  if (decision.kind === Kind.bet) {
    decision.roundRow = state.index.findRound(decision.roundKey, 0);
  } else if (decision.kind === Kind.transfer) {
    decision.receiverRow = findReceiver(state, slice, row);
  }
}

/** Four stores; `fill` is a call into the runtime. */
function clearKey(key: Int32Array): void {
  key[0] = 0;
  key[1] = 0;
  key[2] = 0;
  key[3] = 0;
}

/** Copies four words; a loop with `set(subarray)` would allocate. */
function copyKey(from: Int32Array, at: number, to: Int32Array): void {
  to[0] = from[at];
  to[1] = from[at + 1];
  to[2] = from[at + 2];
  to[3] = from[at + 3];
}

/**
 * Whether the tables may take what this transaction could add (design law 8). Which round a win
 * joins is known only when it is judged, so its room is asked for there.
 */
function hasRoom(state: ShardState, decision: Decision): boolean {
  const { bounds } = state;
  if (state.index.entryCount + 3 > bounds.indexEntriesMax) return false;
  if (decision.kind === Kind.bet) return hasRoomForRound(state, decision);
  if (decision.kind === Kind.hold) return state.holds.rowCount < bounds.holdsMax;
  if (decision.kind !== Kind.open || decision.accountRow >= 0) return true;
  return state.accounts.rowCount < bounds.accountsMax && state.accounts.hasRoomForId;
}

function judgeKind(state: ShardState, decision: Decision, markRow: number): number {
  const kind = decision.kind as Kind;
  switch (kind) {
    case Kind.bet:
      return judgeBet(state, decision, markRow);
    case Kind.win:
      return judgeWin(state, decision);
    case Kind.rollback:
      return judgeRollback(state, decision);
    case Kind.deposit:
      return judgeDeposit(state, decision);
    case Kind.withdraw:
      return judgePayment(state, decision);
    case Kind.hold:
      return judgeHold(state, decision);
    case Kind.capture:
      return judgeHoldEnd(state, decision, false);
    case Kind.release:
      return judgeHoldEnd(state, decision, true);
    case Kind.transfer:
      return judgeTransfer(state, decision);
    case Kind.grant:
      return judgeGrant(state, decision);
    case Kind.convert:
      return judgeBonusOut(state, decision, true);
    case Kind.forfeit:
      return judgeBonusOut(state, decision, false);
    case Kind.adjust:
      return judgeAdjust(state, decision);
    case Kind.setStatus:
      return judgeSetStatus(state, decision);
    case Kind.open:
      return ResultCode.ok;
    case Kind.setOperator:
    case Kind.setClient:
    case Kind.roundAged:
    case Kind.holdExpired:
    case Kind.setRetention:
      return ResultCode.unknownKind;
    default:
      return unreachable(kind);
  }
}

/** Makes the account of an `open`; its short outcome stands in the index. */
function openAccount(state: ShardState, slice: Slice, row: number, decision: Decision): void {
  const { columns, work } = slice;
  const source = columns.sources[columns.sourceIndex[row]];
  const { at, byteCount } = columns.player;
  decision.traits = OutcomeTrait.made;
  decision.accountRow = state.accounts.add(
    work.keys.account,
    row * 2,
    decision.owner,
    source,
    at[row],
    byteCount[row],
  );
  const { key, accountRow, sequence, timeMs } = decision;
  state.index.insertOpening(key, accountRow, sequence, timeMs);
}

function administer(state: ShardState, slice: Slice, row: number): void {
  const { decision } = state;
  beginDecision(state, slice, row, decision);
  takeSequence(state, decision);
  applyAdministration(state, slice.columns, row);
  enterOutcome(state, decision);
  writeRecord(slice.block, decision, slice.columns, row);
  answerDecision(slice.outcomes, row, decision);
}

function findAccount(state: ShardState, slice: Slice, row: number): number {
  const { columns, work } = slice;
  if (work.owner[row] < 256 || columns.player.byteCount[row] === 0) return -1;
  const source = columns.sources[columns.sourceIndex[row]];
  const { at, byteCount } = columns.player;
  const words = work.keys.account;
  return state.accounts.find(words, row * 2, work.owner[row], source, at[row], byteCount[row]);
}

function findReceiver(state: ShardState, slice: Slice, row: number): number {
  const { columns, work } = slice;
  const source = columns.sources[columns.sourceIndex[row]];
  const player = { source, at: columns.to.at[row], byteCount: columns.to.byteCount[row] };
  const owner = work.owner[row];
  const words = new Int32Array(2);
  state.keys.hashAccount(owner, player, words, 0);
  return state.accounts.find(words, 0, owner, source, player.at, player.byteCount);
}
