// Decides one transaction whose form and hashes are ready: the key first (a repeat or a conflict),
// then the account, then the kind's own rules; then it is applied, recorded and answered.
import { unreachable } from '../assert.ts';
import type { BlockContent } from '../block-content.ts';
import { Field, Kind } from '../kinds.ts';
import type { OutcomeColumns } from '../outcome-columns.ts';
import type { Decision } from '../records/decision.ts';
import type { RecordBatch } from '../records/record-batch.ts';
import { isRecordedCode, ResultCode } from '../result-codes.ts';
import { OutcomeTrait } from '../tables/outcome-rows.ts';
import type { TransactionColumns } from '../transaction-columns.ts';
import { applyAdministration } from './administration.ts';
import { answerCode, answerDecision, answerOpeningRepeat, answerRepeat } from './answers.ts';
import { applyDecision, takeSequence } from './apply-decision.ts';
import { computeBalances, readAccount } from './balances.ts';
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
import { judgeWin, nameRoundless } from './judge-win.ts';
import type { ShardState } from './shard-state.ts';
import type { SliceColumns } from './slice-columns.ts';
import { ageRound, isRoundDue } from './time-driven.ts';

/** One slice in work: what is decided, at which time, and where the results go. */
export interface Slice {
  readonly columns: TransactionColumns;
  readonly work: SliceColumns;
  readonly records: RecordBatch;
  readonly outcomes: OutcomeColumns;
  readonly timeMs: number;
  readonly block: BlockContent;
  /**
   * Rows before this one are written; those from it on may be decided and unwritten. An atomic
   * batch writes its rows itself, so there it is the count.
   */
  writtenTo: number;
}

/** What is known of a key before it is judged. */
export const KnownKey = { unknown: 0, repeat: 1, conflict: 2 } as const;

/**
 * Decides a row independently and applies it. What is recorded is written and answered by
 * `writeDecided`; everything else is answered here.
 */
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
  const decision = work.decision(row);
  const kind = slice.columns.kind[row];
  if (kind === Kind.setOperator || kind === Kind.setClient) {
    administer(state, slice, row, decision);
    work.isUnwritten[row] = 1;
    return;
  }
  closeDueRounds(state, slice, row);
  const code = judgeTransaction(state, slice, row, decision, markRow);
  if (isRecordedCode(code)) {
    enterDecision(state, slice, row, decision);
    work.isUnwritten[row] = 1;
  } else answerCode(outcomes, row, code);
}

/**
 * Writes the records of decided rows up to `until` − 1 and answers them. In passes of their own:
 * the code of all steps together does not fit the processor's first cache.
 */
export function writeDecided(slice: Slice, until: number): void {
  if (slice.writtenTo >= until) return;
  const { block, columns, outcomes, records, work } = slice;
  records.begin(block, slice.writtenTo);
  for (let row = slice.writtenTo; row < until; row += 1) {
    if (work.isUnwritten[row] === 0) records.skip(row);
    else records.add(block, work.decision(row), columns, row);
  }
  records.flush(block, until);
  for (let row = slice.writtenTo; row < until; row += 1) {
    if (work.isUnwritten[row] !== 0) answerDecision(outcomes, row, work.decision(row));
  }
  slice.writtenTo = until;
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
  if (slice.timeMs < state.roundsDueAtMs) return;
  const kind = slice.columns.kind[row];
  if (kind !== Kind.bet && kind !== Kind.win) return;
  const { index } = state;
  const { keys } = slice.work;
  const fields = slice.columns.fields[row];
  if ((fields & Field.round) !== 0) {
    closeRoundIfDue(state, slice, row, index.findRound(keys.round, row * 4));
  }
  if ((fields & Field.reference) === 0) return;
  index.probe(keys.reference, row * 4);
  if (index.outcomeRow < 0) return;
  index.outcomes.readRoundKey(index.outcomeRow, state.roundKey, 0);
  closeRoundIfDue(state, slice, row, index.findRound(state.roundKey, 0));
}

function closeRoundIfDue(state: ShardState, slice: Slice, row: number, roundRow: number): void {
  if (roundRow < 0 || !isRoundDue(state, roundRow, slice.timeMs)) return;
  // Records stand in the order of their sequences.
  writeDecided(slice, row);
  ageRound(state, roundRow, slice.timeMs, slice.block);
}

/**
 * Fills the decision for a row with an unknown key and judges it. The code stands in the decision
 * too; on a refusal nothing moves and the balances are the real ones (rule 10).
 */
export function judgeTransaction(
  state: ShardState,
  slice: Slice,
  row: number,
  decision: Decision,
  markRow: number,
): number {
  beginDecision(state, slice, row, decision);
  let code: number = ResultCode.overloaded;
  if (hasRoom(state, decision)) {
    if (decision.accountRow >= 0) code = judgeKind(state, decision, markRow);
    else code = decision.kind === Kind.open ? ResultCode.ok : ResultCode.accountNotFound;
  }
  decision.code = code;
  if (code !== ResultCode.ok) refuseDecision(decision);
  if (decision.accountRow >= 0) computeBalances(decision);
  return code;
}

/** Gives the judged decision its sequence and applies it; its record is still to be written. */
export function enterDecision(
  state: ShardState,
  slice: Slice,
  row: number,
  decision: Decision,
): void {
  takeSequence(state, decision);
  if (decision.accountRow < 0) openAccount(state, slice, row, decision);
  else applyDecision(state, decision);
}

/** A refusal moves nothing and joins nothing: what judging found meanwhile is forgotten. */
export function refuseDecision(decision: Decision): void {
  decision.clearMoves();
  decision.extra = 0;
  decision.traits &= OutcomeTrait.roundNamed;
  if (decision.kind !== Kind.win) return;
  const namesRound = (decision.fields & Field.round) !== 0;
  decision.roundAt = namesRound ? decision.row * 4 : decision.keys.noRoundAt;
}

function beginDecision(state: ShardState, slice: Slice, row: number, decision: Decision): void {
  const { columns, work } = slice;
  decision.begin(columns.kind[row], columns.fields[row], slice.timeMs, row);
  decision.owner = work.owner[row];
  decision.provider = columns.provider[row];
  decision.amountMinor = columns.amountMinor[row];
  decision.expiresInMs = columns.expiresInMs[row];
  decision.status = columns.status[row];
  decision.accountRow = work.accountRow[row];
  // It may have been opened since the pass began.
  if (decision.accountRow < 0) decision.accountRow = findAccount(state, slice, row);
  if (decision.accountRow >= 0) readAccount(state, decision);
  if ((decision.fields & Field.round) !== 0) {
    decision.roundAt = row * 4;
    decision.traits = OutcomeTrait.roundNamed;
  } else if (decision.kind === Kind.bet) nameRoundless(decision);
  if (decision.kind === Kind.bet) {
    decision.roundRow = state.index.findRound(decision.keys.round, decision.roundAt);
  } else if (decision.kind === Kind.transfer) {
    decision.receiverRow = findReceiver(state, slice, row);
  }
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
      return judgeDeposit(decision);
    case Kind.withdraw:
      return judgePayment(decision);
    case Kind.hold:
      return judgeHold(state, decision);
    case Kind.capture:
      return judgeHoldEnd(state, decision, false);
    case Kind.release:
      return judgeHoldEnd(state, decision, true);
    case Kind.transfer:
      return judgeTransfer(state, decision);
    case Kind.grant:
      return judgeGrant(decision);
    case Kind.convert:
      return judgeBonusOut(decision, true);
    case Kind.forfeit:
      return judgeBonusOut(decision, false);
    case Kind.adjust:
      return judgeAdjust(decision);
    case Kind.setStatus:
      return judgeSetStatus(decision);
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
  const { accountRow, sequence, timeMs } = decision;
  state.index.insertOpening(work.keys.key, row * 4, accountRow, sequence, timeMs);
}

function administer(state: ShardState, slice: Slice, row: number, decision: Decision): void {
  beginDecision(state, slice, row, decision);
  takeSequence(state, decision);
  applyAdministration(state, slice.columns, row);
  enterOutcome(state, decision);
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
