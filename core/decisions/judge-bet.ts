// Bets: rules 10 to 14, and the late bet that meets a tombstone (rule 24).
import { AMOUNT_MINOR_MAX } from '../limits.ts';
import type { Decision } from '../records/decision.ts';
import { ResultCode } from '../result-codes.ts';
import { OutcomeTrait } from '../tables/outcome-rows.ts';
import { RoundState } from '../tables/round-rows.ts';
import { MarkType } from '../tables/transaction-index.ts';
import { isInDebt, judgeStatusForPlay } from './balances.ts';
import type { ShardState } from './shard-state.ts';

/** Judges a bet; `markRow` is the mark under its own key, or −1. */
export function judgeBet(state: ShardState, decision: Decision, markRow: number): number {
  if (markRow >= 0) {
    if (state.index.markType(markRow) === MarkType.tombstoneRefuse) return ResultCode.betRolledBack;
    decision.traits |= OutcomeTrait.noop;
    return ResultCode.ok;
  }
  const { amountMinor } = decision;
  const refusal = judgeStatusForPlay(decision.statusBefore);
  if (refusal !== ResultCode.ok) return refusal;
  const { rounds } = state.index;
  const roundRow = decision.roundRow;
  if (roundRow >= 0 && rounds.state(roundRow) !== RoundState.open) return ResultCode.roundClosed;
  const cashMinor = decision.cashBeforeMinor;
  const bonusMinor = decision.bonusBeforeMinor;
  if (isInDebt(decision) || cashMinor + bonusMinor < amountMinor) {
    return ResultCode.insufficientFunds;
  }
  if (roundRow >= 0) {
    const stakeMinor = rounds.cashStakeMinor(roundRow) + rounds.bonusStakeMinor(roundRow);
    if (stakeMinor + amountMinor > AMOUNT_MINOR_MAX) return ResultCode.overflow;
  }
  const { policies } = state.directory.operator(decision.owner >>> 8);
  const fromCashMinor =
    policies.bucketOrder === 'cashFirst'
      ? Math.min(cashMinor, amountMinor)
      : amountMinor - Math.min(bonusMinor, amountMinor);
  decision.cashMovedMinor = -fromCashMinor;
  decision.bonusMovedMinor = fromCashMinor - amountMinor;
  return ResultCode.ok;
}
