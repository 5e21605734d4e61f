// Wins: rules 15 to 19. Which round a win belongs to is resolved here for replay too.
import { Field } from '../kinds.ts';
import { AMOUNT_MINOR_MAX } from '../limits.ts';
import type { Decision } from '../records/decision.ts';
import { ResultCode } from '../result-codes.ts';
import { OutcomeTrait } from '../tables/outcome-rows.ts';
import { RoundCount, RoundState } from '../tables/round-rows.ts';
import { judgeOverflow } from './balances.ts';
import { hasRoomForRound } from './effects.ts';
import type { ShardState } from './shard-state.ts';

/** Judges a win; the decision's round key is the named round's, where one was named. */
export function judgeWin(state: ShardState, decision: Decision): number {
  const { policies } = state.directory.operator(decision.owner >>> 8);
  const isStakeless = (decision.fields & Field.stakeless) !== 0;
  const found = judgeBetOfWin(state, decision);
  if (found === ResultCode.referenceMismatch) return found;
  if (found === ResultCode.betNotFound && !isStakeless && policies.winNeedsBet) return found;
  if (found === ResultCode.betRolledBack && !isStakeless) return found;
  resolveRoundOfWin(state, decision);
  const { rounds } = state.index;
  const row = decision.roundRow;
  if (!hasRoomForRound(state, decision)) return ResultCode.overloaded;
  if (row >= 0 && rounds.state(row) === RoundState.closedByEnd) return ResultCode.roundClosed;
  const { amountMinor } = decision;
  const cashStakeMinor = row < 0 ? 0 : rounds.cashStakeMinor(row);
  const bonusStakeMinor = row < 0 ? 0 : rounds.bonusStakeMinor(row);
  const bonusMinor = bonusPartMinor(amountMinor, cashStakeMinor, bonusStakeMinor);
  decision.cashMovedMinor = amountMinor - bonusMinor;
  decision.bonusMovedMinor = bonusMinor;
  return judgeOverflow(state, decision);
}

/** ok for a live bet, or what is missing (rule 16). Looks only; changes nothing. */
function judgeBetOfWin(state: ShardState, decision: Decision): number {
  if ((decision.fields & Field.reference) === 0) return judgeBetsOfRound(state, decision);
  const found = judgeReferencedBet(state, decision);
  const { policies } = state.directory.operator(decision.owner >>> 8);
  if (found !== ResultCode.betNotFound || policies.winNeedsBet) return found;
  // Forgiven, the win joins the round that it names: bets there of which none lives still count.
  const inRound = judgeBetsOfRound(state, decision);
  return inRound === ResultCode.betRolledBack ? inRound : found;
}

function judgeBetsOfRound(state: ShardState, decision: Decision): number {
  if ((decision.fields & Field.round) === 0) return ResultCode.betNotFound;
  const row = state.index.findRound(decision.roundKey, 0);
  const { rounds } = state.index;
  if (row < 0 || rounds.count(row, RoundCount.bets) === 0) return ResultCode.betNotFound;
  const hasLiveBet = rounds.count(row, RoundCount.liveBets) > 0;
  return hasLiveBet ? ResultCode.ok : ResultCode.betRolledBack;
}

function judgeReferencedBet(state: ShardState, decision: Decision): number {
  const { index } = state;
  const { outcomes } = index;
  index.probe(decision.referenceKey, 0);
  const betRow = index.outcomeRow;
  if (betRow < 0 || outcomes.code(betRow) !== ResultCode.ok) return ResultCode.betNotFound;
  if (outcomes.accountRow(betRow) !== decision.accountRow) return ResultCode.referenceMismatch;
  const namesRound = (decision.fields & Field.round) !== 0;
  const betNamesRound = (outcomes.traits(betRow) & OutcomeTrait.roundNamed) !== 0;
  if (namesRound && betNamesRound && !outcomes.roundEquals(betRow, decision.roundKey)) {
    return ResultCode.referenceMismatch;
  }
  const isLive = index.markRow < 0 && (outcomes.traits(betRow) & OutcomeTrait.noop) === 0;
  return isLive ? ResultCode.ok : ResultCode.betRolledBack;
}

/**
 * Sets the decision's round key and row: the referenced bet's round, where there is an accepted bet
 * of this account, else the named round, else a nameless one of the win's own.
 */
export function resolveRoundOfWin(state: ShardState, decision: Decision): void {
  const { index } = state;
  const { fields } = decision;
  let isResolved = (fields & Field.round) !== 0;
  if ((fields & Field.reference) !== 0) {
    index.probe(decision.referenceKey, 0);
    const betRow = index.outcomeRow;
    if (betRow >= 0 && index.outcomes.code(betRow) === ResultCode.ok) {
      joinRoundOfBet(state, decision, betRow);
      isResolved = true;
    }
  }
  if (!isResolved) state.keys.hashNamelessRound(decision.key, 0, decision.roundKey, 0);
  decision.roundRow = index.findRound(decision.roundKey, 0);
}

function joinRoundOfBet(state: ShardState, decision: Decision, betRow: number): void {
  const { outcomes } = state.index;
  const namesRound = (decision.fields & Field.round) !== 0;
  if (namesRound && !outcomes.roundEquals(betRow, decision.roundKey)) {
    decision.traits |= OutcomeTrait.joinedOther;
    decision.extra = decision.roundKey[0];
  }
  outcomes.readRoundKey(betRow, decision.roundKey);
}

/**
 * floor(amount × B / (C + B)), exact (rule 19). Up to 2^53 the product and its remainder are exact
 * in doubles; beyond that BigInt does it.
 */
export function bonusPartMinor(
  amountMinor: number,
  cashStakeMinor: number,
  bonusStakeMinor: number,
): number {
  if (bonusStakeMinor === 0 || amountMinor === 0) return 0;
  const stakeMinor = cashStakeMinor + bonusStakeMinor;
  const product = amountMinor * bonusStakeMinor;
  if (product <= AMOUNT_MINOR_MAX) return (product - (product % stakeMinor)) / stakeMinor;
  return Number((BigInt(amountMinor) * BigInt(bonusStakeMinor)) / BigInt(stakeMinor));
}
