// Wins (rules 15 to 19): which bet or round a win belongs to, what forgives a missing one, and how
// it is split between cash and bonus. Used by tests only.

import { ResultCode } from '../../core/result-codes.ts';
import { credit, fits, type Situation } from './model-money.ts';
import { joinRound, namedRoundKey, ownRoundKey } from './model-rounds.ts';
import { keyOf, type ModelRound, targetKey } from './model-state.ts';

type Belonging = { code: number } | { roundKey: string };

/** house → cash, bonus, whatever the account's status. */
export function decideWin(situation: Situation): number {
  const { account, amount, player, transaction } = situation;
  const belonging = findRound(situation);
  if ('code' in belonging) {
    return belonging.code;
  }
  const { roundKey } = belonging;
  const found = player.rounds.get(roundKey);
  if (found?.closed === 'byFlag') {
    return ResultCode.roundClosed;
  }
  const split = splitWin(amount, found);
  if (!fits(account, split)) {
    return ResultCode.overflow;
  }
  const round = joinRound(situation, roundKey);
  credit(situation, 'house', split);
  if (amount > 0n) {
    round.liveWins += 1;
  }
  if (transaction.roundEnd) {
    round.closed = 'byFlag';
  }
  player.originals.set(keyOf(transaction), {
    accepted: true,
    amount,
    currency: situation.currency,
    roundNamed: transaction.round ?? '',
    roundKey,
    ...split,
  });
  return ResultCode.ok;
}

/**
 * By reference if that names an accepted bet; else by the round's name; else forgiven or refused.
 */
function findRound(situation: Situation): Belonging {
  const { player, transaction, currency } = situation;
  const betKey = targetKey(transaction.provider, 'bet', transaction.reference ?? '');
  const bet = transaction.reference ? player.originals.get(betKey) : undefined;
  if (bet?.accepted) {
    const otherRound =
      transaction.round && bet.roundNamed !== '' && bet.roundNamed !== transaction.round;
    if (bet.currency !== currency || otherRound) {
      return { code: ResultCode.referenceMismatch };
    }
    if (player.reversals.has(betKey) && !transaction.stakeless) {
      return { code: ResultCode.betRolledBack };
    }
    return { roundKey: bet.roundKey };
  }
  if (transaction.reference && !forgivesUnknownBet(situation)) {
    return { code: ResultCode.betNotFound };
  }
  return findRoundByName(situation);
}

function findRoundByName(situation: Situation): Belonging {
  const { player, transaction } = situation;
  const name = transaction.round ?? '';
  const round = name === '' ? undefined : player.rounds.get(namedRoundKey(situation, name));
  if (round === undefined || round.bets === 0) {
    return forgivesUnknownBet(situation)
      ? { roundKey: ownRoundKey(situation) }
      : { code: ResultCode.betNotFound };
  }
  if (round.liveBets === 0 && !transaction.stakeless) {
    return { code: ResultCode.betRolledBack };
  }
  return { roundKey: ownRoundKey(situation) };
}

function forgivesUnknownBet(situation: Situation): boolean {
  return situation.transaction.stakeless === true || !situation.operator.winNeedsBet;
}

function splitWin(amount: bigint, round: ModelRound | undefined): { cash: bigint; bonus: bigint } {
  const cashStake = round?.liveCash ?? 0n;
  const bonusStake = round?.liveBonus ?? 0n;
  if (cashStake + bonusStake === 0n) {
    return { cash: amount, bonus: 0n };
  }
  const bonus = (amount * bonusStake) / (cashStake + bonusStake);
  return { cash: amount - bonus, bonus };
}
