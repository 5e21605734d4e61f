// An outcome of the engine's columns in the model's form, so that the two can be compared whole.
import { type OutcomeColumns, OutcomeFlag } from '../../core/outcome-columns.ts';
import type { ModelOutcome } from '../model/model-transaction.ts';

const STATUSES = ['active', 'betLocked', 'frozen', 'closed'] as const;

/** The outcome of a row; `ownRecords` is how many records the engine has that the model has not. */
export function outcomeOf(outcomes: OutcomeColumns, row: number, ownRecords = 0): ModelOutcome {
  const flags = outcomes.flags[row];
  const sequence = outcomes.sequence[row];
  const outcome: ModelOutcome = {
    code: outcomes.code[row],
    recorded: sequence > 0,
    replay: (flags & OutcomeFlag.replay) !== 0,
    noop: (flags & OutcomeFlag.noop) !== 0,
    made: (flags & OutcomeFlag.made) !== 0,
  };
  if (sequence === 0) return outcome;
  outcome.sequence = sequence - ownRecords;
  outcome.timeMs = outcomes.timeMs[row];
  outcome.balances = {
    cash: outcomes.cashMinor[row],
    bonus: outcomes.bonusMinor[row],
    held: outcomes.heldMinor[row],
  };
  outcome.moved = {
    cash: outcomes.cashMovedMinor[row] + 0,
    bonus: outcomes.bonusMovedMinor[row] + 0,
  };
  if (outcomes.code[row] === 0) outcome.previousStatus = STATUSES[outcomes.extra[row]];
  return outcome;
}
