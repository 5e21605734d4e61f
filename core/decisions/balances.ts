// Sums of an account's money and what they may be: the arithmetic that the kinds' rules share.
import { AMOUNT_MINOR_MAX } from '../limits.ts';
import type { Decision } from '../records/decision.ts';
import { ResultCode } from '../result-codes.ts';
import { AccountStatus } from '../tables/account-table.ts';
import type { ShardState } from './shard-state.ts';

/**
 * Whether amounts in the three buckets are whole money that the rules allow ("overflow"). Cash with
 * held, and cash with bonus, are bounded too, so that what is held can always be released, captured
 * or expire: without that, a bonus below zero could make room that a release would then overflow.
 */
export function bucketsOverflow(cashMinor: number, bonusMinor: number, heldMinor: number): boolean {
  return (
    Math.abs(cashMinor) > AMOUNT_MINOR_MAX ||
    Math.abs(bonusMinor) > AMOUNT_MINOR_MAX ||
    Math.abs(cashMinor + heldMinor) > AMOUNT_MINOR_MAX ||
    Math.abs(cashMinor + bonusMinor) > AMOUNT_MINOR_MAX ||
    Math.abs(cashMinor + bonusMinor + heldMinor) > AMOUNT_MINOR_MAX
  );
}

/** Fills the balances after from the account's buckets and the decision's moves. */
export function computeBalances(state: ShardState, decision: Decision): void {
  const { accounts } = state;
  const row = decision.accountRow;
  decision.cashMinor = accounts.cashMinor(row) + decision.cashMovedMinor;
  decision.bonusMinor = accounts.bonusMinor(row) + decision.bonusMovedMinor;
  decision.heldMinor = accounts.heldMinor(row) + decision.heldMovedMinor;
}

/** `overflow` where the moves would pass a bound, else ok. */
export function judgeOverflow(state: ShardState, decision: Decision): number {
  computeBalances(state, decision);
  const { cashMinor, bonusMinor, heldMinor } = decision;
  return bucketsOverflow(cashMinor, bonusMinor, heldMinor) ? ResultCode.overflow : ResultCode.ok;
}

/** The refusal of a status for what a self-exclusion forbids: bets and deposits (rule 32). */
export function judgeStatusForPlay(state: ShardState, accountRow: number): number {
  const status = state.accounts.status(accountRow);
  if (status === AccountStatus.betLocked) return ResultCode.accountBetLocked;
  return judgeStatusForPaying(status);
}

/** The refusal of a status for what a freeze forbids: money that leaves the player (rule 32). */
export function judgeStatusForPaying(status: number): number {
  if (status === AccountStatus.closed) return ResultCode.accountClosed;
  return status === AccountStatus.frozen ? ResultCode.accountFrozen : ResultCode.ok;
}

/** Whether a bucket is below zero (rule 25, adjust): then nothing more is paid from the account. */
export function isInDebt(state: ShardState, accountRow: number): boolean {
  return state.accounts.cashMinor(accountRow) < 0 || state.accounts.bonusMinor(accountRow) < 0;
}
