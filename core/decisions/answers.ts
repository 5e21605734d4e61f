// Fills outcomes for the gateway: from a decision, from the first outcome of a repeated key, or
// with a code alone.
import { Kind } from '../kinds.ts';
import { type OutcomeColumns, OutcomeFlag } from '../outcome-columns.ts';
import type { Decision } from '../records/decision.ts';
import { ResultCode } from '../result-codes.ts';
import { OutcomeTrait } from '../tables/outcome-rows.ts';
import type { ShardState } from './shard-state.ts';

/** An answer that is not recorded: a code without balances (rules 3 to 5). */
export function answerCode(outcomes: OutcomeColumns, row: number, code: number): void {
  outcomes.code[row] = code;
  outcomes.flags[row] = 0;
  outcomes.sequence[row] = 0;
}

/** The outcome that was just recorded. */
export function answerDecision(outcomes: OutcomeColumns, row: number, decision: Decision): void {
  outcomes.code[row] = decision.code;
  outcomes.flags[row] = decision.traits === 0 ? 0 : flagsOf(decision.traits);
  outcomes.sequence[row] = decision.sequence;
  outcomes.timeMs[row] = decision.timeMs;
  outcomes.cashMovedMinor[row] = decision.cashMovedMinor;
  outcomes.bonusMovedMinor[row] = decision.bonusMovedMinor;
  outcomes.cashMinor[row] = decision.cashMinor;
  outcomes.bonusMinor[row] = decision.bonusMinor;
  outcomes.heldMinor[row] = decision.heldMinor;
  outcomes.extra[row] = decision.kind === Kind.setStatus ? decision.extra : 0;
}

/** The first outcome of a key again, as it was then (rule 2). */
export function answerRepeat(
  outcomes: OutcomeColumns,
  row: number,
  state: ShardState,
  outcomeRow: number,
  kind: number,
): void {
  const first = state.index.outcomes;
  outcomes.code[row] = first.code(outcomeRow);
  outcomes.flags[row] = flagsOf(first.traits(outcomeRow)) | OutcomeFlag.replay;
  outcomes.sequence[row] = first.sequence(outcomeRow);
  outcomes.timeMs[row] = first.timeMs(outcomeRow);
  outcomes.cashMovedMinor[row] = first.cashMovedMinor(outcomeRow);
  outcomes.bonusMovedMinor[row] = first.bonusMovedMinor(outcomeRow);
  outcomes.cashMinor[row] = first.cashMinor(outcomeRow);
  outcomes.bonusMinor[row] = first.bonusMinor(outcomeRow);
  outcomes.heldMinor[row] = first.heldMinor(outcomeRow);
  outcomes.extra[row] = kind === Kind.setStatus ? first.extra(outcomeRow) : 0;
}

/** The outcome of an `open` that made its account, again: all its balances were 0. */
export function answerOpeningRepeat(
  outcomes: OutcomeColumns,
  row: number,
  state: ShardState,
  openingRow: number,
): void {
  answerCode(outcomes, row, ResultCode.ok);
  outcomes.flags[row] = OutcomeFlag.made | OutcomeFlag.replay;
  outcomes.sequence[row] = state.index.openingSequence(openingRow);
  outcomes.timeMs[row] = state.index.openingTimeMs(openingRow);
  outcomes.cashMovedMinor[row] = 0;
  outcomes.bonusMovedMinor[row] = 0;
  outcomes.cashMinor[row] = 0;
  outcomes.bonusMinor[row] = 0;
  outcomes.heldMinor[row] = 0;
  outcomes.extra[row] = 0;
}

function flagsOf(traits: number): number {
  const noop = (traits & OutcomeTrait.noop) === 0 ? 0 : OutcomeFlag.noop;
  return (traits & OutcomeTrait.made) === 0 ? noop : noop | OutcomeFlag.made;
}
