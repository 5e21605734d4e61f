// What an outcome does to the state. The same functions serve a decision just made and a record
// that is replayed, which is why replay gives the same state (rule 39).
import { assert, InvariantError, unreachable } from '../assert.ts';
import { Field, Kind } from '../kinds.ts';
import type { Decision } from '../records/decision.ts';
import { ResultCode } from '../result-codes.ts';
import { OutcomeTrait } from '../tables/outcome-rows.ts';
import { RoundCount, RoundState } from '../tables/round-rows.ts';
import { SystemAccount } from '../tables/system-accounts.ts';
import { MarkType } from '../tables/transaction-index.ts';
import {
  addHold,
  closeRound,
  enterOutcome,
  joinRound,
  leaveMark,
  moveMoney,
  reduceHold,
  takeBetFromRound,
  takeWinFromRound,
} from './effects.ts';
import type { ShardState } from './shard-state.ts';

/** Gives the decision the next place in the shard's one order of records. */
export function takeSequence(state: ShardState, decision: Decision): void {
  assert(decision.timeMs >= state.lastTimeMs, 'time never goes back in a shard');
  state.sequence += 1;
  state.lastTimeMs = decision.timeMs;
  decision.sequence = state.sequence;
}

/**
 * Applies the outcome of a sent kind that has an account. Balances after, rows and keys are filled;
 * the sequence is taken.
 */
export function applyDecision(state: ShardState, decision: Decision): void {
  if (decision.code === ResultCode.ok) applyEffects(state, decision);
  enterOutcome(state, decision);
}

function applyEffects(state: ShardState, decision: Decision): void {
  // A number in a column becomes the union of kinds here; unreachable() catches any other.
  const kind = decision.kind as Kind;
  switch (kind) {
    case Kind.bet:
      moveMoney(state, decision, SystemAccount.house);
      applyBet(state, decision);
      return;
    case Kind.win:
      moveMoney(state, decision, SystemAccount.house);
      applyWin(state, decision);
      return;
    case Kind.rollback:
      moveMoney(state, decision, SystemAccount.house);
      applyRollback(state, decision);
      return;
    case Kind.deposit:
    case Kind.withdraw:
      moveMoney(state, decision, SystemAccount.cashier);
      return;
    case Kind.hold:
      moveMoney(state, decision, SystemAccount.transit);
      addHold(state, decision);
      return;
    case Kind.capture:
    case Kind.release:
      moveMoney(state, decision, SystemAccount.cashier);
      reduceHold(state, decision.holdRow, decision.amountMinor);
      return;
    case Kind.transfer:
      applyTransfer(state, decision);
      return;
    case Kind.grant:
    case Kind.convert:
    case Kind.forfeit:
      moveMoney(state, decision, SystemAccount.bonusFund);
      return;
    case Kind.adjust:
      moveMoney(state, decision, SystemAccount.adjustments);
      return;
    case Kind.setStatus:
      applyStatus(state, decision);
      return;
    case Kind.open:
      return;
    case Kind.setOperator:
    case Kind.setClient:
    case Kind.roundAged:
    case Kind.holdExpired:
    case Kind.setRetention:
      throw new InvariantError('Broken invariant: kinds without a sender have their own functions');
    default:
      unreachable(kind);
  }
}

function applyBet(state: ShardState, decision: Decision): void {
  const row = joinRound(state, decision, (decision.fields & Field.roundEnd) !== 0);
  const { rounds } = state.index;
  if ((decision.traits & OutcomeTrait.noop) !== 0) rounds.addDeadBet(row);
  else rounds.addBet(row, -decision.cashMovedMinor, -decision.bonusMovedMinor);
}

/** Enters an accepted win in its round. */
function applyWin(state: ShardState, decision: Decision): void {
  const row = joinRound(state, decision, (decision.fields & Field.roundEnd) !== 0);
  if (decision.amountMinor > 0) state.index.rounds.addCount(row, RoundCount.liveWins, 1);
}

function applyRollback(state: ShardState, decision: Decision): void {
  leaveMark(state, decision);
  if (decision.extra !== MarkType.reversal) return;
  const { outcomes } = state.index;
  const originalRow = decision.referenceRow;
  assert(originalRow >= 0, 'a reversal has an original');
  if (outcomes.code(originalRow) !== ResultCode.ok) return;
  outcomes.readRoundKey(originalRow, state.roundKey, 0);
  const roundRow = state.index.findRound(state.roundKey, 0);
  if ((decision.fields & Field.ofWin) === 0) {
    const cashStakeMinor = -outcomes.cashMovedMinor(originalRow);
    const bonusStakeMinor = -outcomes.bonusMovedMinor(originalRow);
    takeBetFromRound(state, roundRow, cashStakeMinor, bonusStakeMinor);
  } else if (outcomes.amountMinor(originalRow) > 0) {
    takeWinFromRound(state, roundRow);
  }
}

/** Both players' accounts are the shard's; nothing is posted to a system account. */
function applyTransfer(state: ShardState, decision: Decision): void {
  const { accounts } = state;
  const { accountRow, receiverRow } = decision;
  accounts.setBuckets(accountRow, decision.cashMinor, decision.bonusMinor, decision.heldMinor);
  accounts.setBuckets(
    receiverRow,
    decision.receiverCashMinor,
    accounts.bonusMinor(receiverRow),
    accounts.heldMinor(receiverRow),
  );
}

function applyStatus(state: ShardState, decision: Decision): void {
  assert(
    decision.extra === state.accounts.status(decision.accountRow),
    'the status before is known',
  );
  state.accounts.setStatus(decision.accountRow, decision.status);
}

/** Closes a round by age, by a record of its own (rule 29). */
export function applyRoundAged(state: ShardState, decision: Decision, roundRow: number): void {
  assert(state.index.rounds.state(roundRow) === RoundState.open, 'a round is closed by age once');
  closeRound(state, roundRow, decision.owner >>> 8, RoundState.closedByAge);
}

/** Releases what is left of an expired hold to cash (rule 31). */
export function applyHoldExpired(state: ShardState, decision: Decision, holdRow: number): void {
  const { holds } = state;
  assert(
    decision.cashMovedMinor === holds.remainingMinor(holdRow),
    'an expiry releases what is left',
  );
  moveMoney(state, decision, SystemAccount.cashier);
  holds.remove(holdRow);
}
