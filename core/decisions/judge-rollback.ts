// Rollbacks of bets and wins: rules 20 to 28.
import { Field } from '../kinds.ts';
import type { Decision } from '../records/decision.ts';
import { ResultCode } from '../result-codes.ts';
import { OutcomeTrait } from '../tables/outcome-rows.ts';
import { RoundCount } from '../tables/round-rows.ts';
import { MarkType } from '../tables/transaction-index.ts';
import { judgeOverflow } from './balances.ts';
import type { ShardState } from './shard-state.ts';

/** Judges a rollback; sets the mark that it will leave in the decision's `extra`. */
export function judgeRollback(state: ShardState, decision: Decision): number {
  const { index } = state;
  index.probe(decision.keys.reference, decision.row * 4);
  const originalRow = index.outcomeRow;
  const isMarked = index.markRow >= 0;
  if (originalRow < 0) return judgeUnknownOriginal(state, decision, isMarked);
  if (!matchesOriginal(state, decision, originalRow)) return ResultCode.referenceMismatch;
  if (isMarked) return ResultCode.alreadyRolledBack;
  decision.extra = MarkType.reversal;
  decision.referenceRow = originalRow;
  if (index.outcomes.code(originalRow) !== ResultCode.ok) return ResultCode.ok;
  const refusal =
    (decision.fields & Field.ofWin) === 0
      ? judgeSettled(state, originalRow)
      : judgeSpent(state, decision, originalRow);
  if (refusal !== ResultCode.ok) return refusal;
  decision.cashMovedMinor = -index.outcomes.cashMovedMinor(originalRow);
  decision.bonusMovedMinor = -index.outcomes.bonusMovedMinor(originalRow);
  return judgeOverflow(decision);
}

/** Rule 24: a bet that has not come yet; rule 21: it may already have been taken back. */
function judgeUnknownOriginal(state: ShardState, decision: Decision, isMarked: boolean): number {
  if ((decision.fields & Field.ofWin) !== 0) return ResultCode.betNotFound;
  const policy = state.directory.operator(decision.owner >>> 8).policies.unknownBetRollback;
  if (policy === 'error') return ResultCode.betNotFound;
  if (isMarked) return ResultCode.alreadyRolledBack;
  decision.extra = policy === 'noop' ? MarkType.tombstoneNoop : MarkType.tombstoneRefuse;
  return ResultCode.ok;
}

/** Rules 20 and 26: amount, currency and round, where both name them. */
function matchesOriginal(state: ShardState, decision: Decision, originalRow: number): boolean {
  const { outcomes } = state.index;
  const { fields } = decision;
  if (outcomes.accountRow(originalRow) !== decision.accountRow) return false;
  const namesAmount = (fields & Field.amount) !== 0;
  if (namesAmount && outcomes.amountMinor(originalRow) !== decision.amountMinor) return false;
  const originalNamesRound = (outcomes.traits(originalRow) & OutcomeTrait.roundNamed) !== 0;
  if ((fields & Field.round) === 0 || !originalNamesRound) return true;
  if ((outcomes.traits(originalRow) & OutcomeTrait.joined) !== 0) {
    return outcomes.extra(originalRow) === decision.keys.round[decision.roundAt];
  }
  return outcomes.roundEquals(originalRow, decision.keys.round, decision.roundAt);
}

/** Rule 22: any live win above 0 in the round blocks all the round's bets. */
function judgeSettled(state: ShardState, originalRow: number): number {
  const { index } = state;
  index.outcomes.readRoundKey(originalRow, state.roundKey, 0);
  const roundRow = index.findRound(state.roundKey, 0);
  const liveWins = index.rounds.count(roundRow, RoundCount.liveWins);
  return liveWins > 0 ? ResultCode.betSettled : ResultCode.ok;
}

/** Rule 25: a credited bucket that now holds less than it got. */
function judgeSpent(state: ShardState, decision: Decision, originalRow: number): number {
  const { outcomes } = state.index;
  const { policies } = state.directory.operator(decision.owner >>> 8);
  if (policies.spentWinRollback === 'negative') return ResultCode.ok;
  const cashMinor = outcomes.cashMovedMinor(originalRow);
  const bonusMinor = outcomes.bonusMovedMinor(originalRow);
  const cashIsSpent = cashMinor > 0 && decision.cashBeforeMinor < cashMinor;
  const bonusIsSpent = bonusMinor > 0 && decision.bonusBeforeMinor < bonusMinor;
  return cashIsSpent || bonusIsSpent ? ResultCode.balanceSpent : ResultCode.ok;
}
