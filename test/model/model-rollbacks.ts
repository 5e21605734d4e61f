// Rollbacks of bets and wins (rules 20 to 28). Used by tests only.

import { ResultCode } from '../../core/result-codes.ts';
import { credit, fits, type Situation } from './model-money.ts';
import { type ModelOriginal, type ModelRound, targetKey } from './model-state.ts';

/** Gives back what the original took, or takes back what it gave, in the same buckets. */
export function decideRollback(situation: Situation): number {
  const { player, transaction } = situation;
  const ofWin = transaction.of === 'win';
  const target = targetKey(
    transaction.provider,
    ofWin ? 'win' : 'bet',
    transaction.reference ?? '',
  );
  const original = player.originals.get(target);
  if (original === undefined) {
    return ofWin ? ResultCode.betNotFound : decideRollbackOfUnknownBet(situation, target);
  }
  if (isMismatch(situation, original)) {
    return ResultCode.referenceMismatch;
  }
  if (player.reversals.has(target)) {
    return ResultCode.alreadyRolledBack;
  }
  const round = player.rounds.get(original.roundKey);
  if (original.accepted && round !== undefined) {
    const refusal = ofWin
      ? takeBackWin(situation, original, round)
      : giveBackBet(situation, original, round);
    if (refusal !== ResultCode.ok) {
      return refusal;
    }
  }
  player.reversals.set(target, 'done');
  return ResultCode.ok;
}

function decideRollbackOfUnknownBet(situation: Situation, target: string): number {
  const policy = situation.operator.unknownBetRollback;
  if (policy === 'error') {
    return ResultCode.betNotFound;
  }
  if (situation.player.reversals.has(target)) {
    return ResultCode.alreadyRolledBack;
  }
  situation.player.reversals.set(target, policy);
  return ResultCode.ok;
}

function isMismatch(situation: Situation, original: ModelOriginal): boolean {
  const { amount, round } = situation.transaction;
  return (
    (amount !== undefined && BigInt(amount) !== original.amount) ||
    situation.currency !== original.currency ||
    (Boolean(round) && original.roundNamed !== '' && round !== original.roundNamed)
  );
}

function giveBackBet(situation: Situation, bet: ModelOriginal, round: ModelRound): number {
  if (round.liveWins > 0) {
    return ResultCode.betSettled;
  }
  const back = { cash: bet.cash, bonus: bet.bonus };
  if (!fits(situation.account, back)) {
    return ResultCode.overflow;
  }
  credit(situation, 'house', back);
  round.liveBets -= 1;
  round.liveCash -= bet.cash;
  round.liveBonus -= bet.bonus;
  return ResultCode.ok;
}

function takeBackWin(situation: Situation, win: ModelOriginal, round: ModelRound): number {
  const { account, operator } = situation;
  const cashIsSpent = win.cash > 0n && account.cash < win.cash;
  const bonusIsSpent = win.bonus > 0n && account.bonus < win.bonus;
  if (operator.spentWinRollback === 'reject' && (cashIsSpent || bonusIsSpent)) {
    return ResultCode.balanceSpent;
  }
  const back = { cash: -win.cash, bonus: -win.bonus };
  if (!fits(account, back)) {
    return ResultCode.overflow;
  }
  credit(situation, 'house', back);
  if (win.amount > 0n) {
    round.liveWins -= 1;
  }
  return ResultCode.ok;
}
