// Bets (rules 10 to 14), and bets that come after their own rollback (rule 24). Used by tests only.

import { ResultCode } from '../../core/result-codes.ts';
import {
  credit,
  fitsStake,
  isOverdrawn,
  type Situation,
  statusRefusal,
  type Verdict,
} from './model-money.ts';
import { joinRound, ownRoundKey } from './model-rounds.ts';
import { keyOf } from './model-state.ts';

/** cash, bonus → house, unless the bet was rolled back before it came. */
export function decideBet(situation: Situation): Verdict {
  const { account, amount, player, transaction } = situation;
  const reversal = player.reversals.get(keyOf(transaction));
  if (reversal === 'noop') {
    acceptBet(situation, { cash: 0n, bonus: 0n, live: false });
    return { code: ResultCode.ok, noop: true };
  }
  if (reversal !== undefined) {
    return { code: ResultCode.betRolledBack };
  }
  const refusal = statusRefusal(account, ['closed', 'frozen', 'betLocked']);
  if (refusal !== ResultCode.ok) {
    return { code: refusal };
  }
  const round = player.rounds.get(ownRoundKey(situation));
  if (round !== undefined && round.closed !== 'no') {
    return { code: ResultCode.roundClosed };
  }
  if (isOverdrawn(account) || account.cash + account.bonus < amount) {
    return { code: ResultCode.insufficientFunds };
  }
  if (round !== undefined && !fitsStake(round.liveCash + round.liveBonus + amount)) {
    return { code: ResultCode.overflow };
  }
  const { cash, bonus } = drawStake(situation);
  credit(situation, 'house', { cash: -cash, bonus: -bonus });
  acceptBet(situation, { cash, bonus, live: true });
  return { code: ResultCode.ok };
}

function drawStake(situation: Situation): { cash: bigint; bonus: bigint } {
  const { account, amount, operator } = situation;
  if (operator.bucketOrder === 'cashFirst') {
    const cash = amount < account.cash ? amount : account.cash;
    return { cash, bonus: amount - cash };
  }
  const bonus = amount < account.bonus ? amount : account.bonus;
  return { cash: amount - bonus, bonus };
}

function acceptBet(
  situation: Situation,
  stake: { cash: bigint; bonus: bigint; live: boolean },
): void {
  const { player, transaction, amount, currency } = situation;
  const roundKey = ownRoundKey(situation);
  const round = joinRound(situation, roundKey);
  round.bets += 1;
  if (stake.live) {
    round.liveBets += 1;
    round.liveCash += stake.cash;
    round.liveBonus += stake.bonus;
  }
  if (transaction.roundEnd) {
    round.closed = 'byFlag';
  }
  player.originals.set(keyOf(transaction), {
    accepted: true,
    amount,
    currency,
    roundNamed: transaction.round ?? '',
    roundKey,
    cash: stake.cash,
    bonus: stake.bonus,
  });
}
