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
import { nameRound } from './transaction-keys.ts';

/** Judges a win; the decision's round is the named one, where one was named. */
export function judgeWin(state: ShardState, decision: Decision): number {
  const { policies } = state.directory.operator(decision.owner >>> 8);
  const isStakeless = (decision.fields & Field.stakeless) !== 0;
  const betRow = findBetOfWin(state, decision);
  const found = judgeBetOfWin(state, decision, betRow, policies.winNeedsBet);
  if (found === ResultCode.referenceMismatch) return found;
  if (found === ResultCode.betNotFound && !isStakeless && policies.winNeedsBet) return found;
  if (found === ResultCode.betRolledBack && !isStakeless) return found;
  resolveRoundOfWin(state, decision, betRow);
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
  return judgeOverflow(decision);
}

/** The row of the accepted bet that a win refers to, or −1; the index keeps what it found. */
export function findBetOfWin(state: ShardState, decision: Decision): number {
  if ((decision.fields & Field.reference) === 0) return -1;
  const { index } = state;
  index.probe(decision.keys.reference, decision.row * 4);
  const row = index.outcomeRow;
  return row >= 0 && index.outcomes.code(row) === ResultCode.ok ? row : -1;
}

/** ok for a live bet, or what is missing (rule 16). Looks only; changes nothing. */
function judgeBetOfWin(
  state: ShardState,
  decision: Decision,
  betRow: number,
  winNeedsBet: boolean,
): number {
  if ((decision.fields & Field.reference) === 0) return judgeBetsOfRound(state, decision);
  if (betRow >= 0) return judgeReferencedBet(state, decision, betRow);
  if (winNeedsBet) return ResultCode.betNotFound;
  // Forgiven, the win joins the round that it names: bets there of which none lives still count.
  const inRound = judgeBetsOfRound(state, decision);
  return inRound === ResultCode.betRolledBack ? inRound : ResultCode.betNotFound;
}

function judgeBetsOfRound(state: ShardState, decision: Decision): number {
  if ((decision.fields & Field.round) === 0) return ResultCode.betNotFound;
  const row = state.index.findRound(decision.keys.round, decision.roundAt);
  const { rounds } = state.index;
  if (row < 0 || !rounds.hasBets(row)) return ResultCode.betNotFound;
  const hasLiveBet = rounds.count(row, RoundCount.liveBets) > 0;
  return hasLiveBet ? ResultCode.ok : ResultCode.betRolledBack;
}

function judgeReferencedBet(state: ShardState, decision: Decision, betRow: number): number {
  const { index } = state;
  const { outcomes } = index;
  if (outcomes.accountRow(betRow) !== decision.accountRow) return ResultCode.referenceMismatch;
  const traits = outcomes.traits(betRow);
  const bothNameRounds =
    (decision.fields & Field.round) !== 0 && (traits & OutcomeTrait.roundNamed) !== 0;
  if (bothNameRounds && !outcomes.roundEquals(betRow, decision.keys.round, decision.roundAt)) {
    return ResultCode.referenceMismatch;
  }
  const isLive = index.markRow < 0 && (traits & OutcomeTrait.noop) === 0;
  return isLive ? ResultCode.ok : ResultCode.betRolledBack;
}

/**
 * Sets where the decision's round key is, and its row: the round of the accepted bet that the win
 * refers to, if any, else the named round, else a nameless one of the win's own.
 */
export function resolveRoundOfWin(state: ShardState, decision: Decision, betRow: number): void {
  if (betRow >= 0) joinRoundOfBet(state, decision, betRow);
  else if ((decision.fields & Field.round) === 0) nameRoundless(decision);
  decision.roundRow = state.index.findRound(decision.keys.round, decision.roundAt);
}

/** The decision is alone in a nameless round. */
export function nameRoundless(decision: Decision): void {
  const { keys, row } = decision;
  decision.roundAt = row * 4;
  nameRound(keys.key, row * 4, keys.round, row * 4);
}

function joinRoundOfBet(state: ShardState, decision: Decision, betRow: number): void {
  const { outcomes } = state.index;
  const { round } = decision.keys;
  if ((decision.fields & Field.round) !== 0) {
    if (outcomes.roundEquals(betRow, round, decision.roundAt)) return;
    decision.extra = round[decision.roundAt];
  }
  decision.traits |= OutcomeTrait.joined;
  decision.roundAt = decision.keys.joinedRoundAt(decision.row);
  outcomes.readRoundKey(betRow, round, decision.roundAt);
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
