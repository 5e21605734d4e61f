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

/** Reads the decision's account, once: whatever judges or applies it takes these values. */
export function readAccount(state: ShardState, decision: Decision): void {
  state.accounts.readInto(decision.accountRow, decision);
}

/** Fills the balances after from those before and the decision's moves. */
export function computeBalances(decision: Decision): void {
  decision.cashMinor = decision.cashBeforeMinor + decision.cashMovedMinor;
  decision.bonusMinor = decision.bonusBeforeMinor + decision.bonusMovedMinor;
  decision.heldMinor = decision.heldBeforeMinor + decision.heldMovedMinor;
}

/** `overflow` where the moves would pass a bound, else ok. */
export function judgeOverflow(decision: Decision): number {
  computeBalances(decision);
  const { cashMinor, bonusMinor, heldMinor } = decision;
  return bucketsOverflow(cashMinor, bonusMinor, heldMinor) ? ResultCode.overflow : ResultCode.ok;
}

/** The refusal of a status for what a self-exclusion forbids: bets and deposits (rule 32). */
export function judgeStatusForPlay(status: number): number {
  if (status === AccountStatus.betLocked) return ResultCode.accountBetLocked;
  return judgeStatusForPaying(status);
}

/** The refusal of a status for what a freeze forbids: money that leaves the player (rule 32). */
export function judgeStatusForPaying(status: number): number {
  if (status === AccountStatus.closed) return ResultCode.accountClosed;
  return status === AccountStatus.frozen ? ResultCode.accountFrozen : ResultCode.ok;
}

/** Whether a bucket is below zero (rule 25, adjust): then nothing more is paid from the account. */
export function isInDebt(decision: Decision): boolean {
  return decision.cashBeforeMinor < 0 || decision.bonusBeforeMinor < 0;
}
