// Rounds (rule 29): found by the name that a transaction gives, or nameless, alone with the bet or
// win that opened them. Used by tests only.

import type { Situation } from './model-money.ts';
import { type ModelRound, targetKey } from './model-state.ts';

/** The key of the round that has this name in the account, from this provider. */
export function namedRoundKey(situation: Situation, name: string): string {
  return JSON.stringify(['named', situation.transaction.provider, situation.currency, name]);
}

/** The key of the round that this transaction names, or of the nameless one of its own. */
export function ownRoundKey(situation: Situation): string {
  const { kind, provider, round, transactionId } = situation.transaction;
  return round
    ? namedRoundKey(situation, round)
    : JSON.stringify(['nameless', targetKey(provider, kind, transactionId)]);
}

/** The round under the key; the transaction opens it if it is new. */
export function joinRound(situation: Situation, roundKey: string): ModelRound {
  const { player, state, operator, transaction, nowMs } = situation;
  const found = player.rounds.get(roundKey);
  if (found !== undefined) {
    return found;
  }
  state.createdCount += 1;
  const round: ModelRound = {
    provider: transaction.provider,
    currency: situation.currency,
    name: transaction.round ?? '',
    openedBy: transaction.transactionId,
    openedAtMs: nowMs,
    order: state.createdCount,
    closed: 'no',
    bets: 0,
    liveBets: 0,
    liveCash: 0n,
    liveBonus: 0n,
    liveWins: 0,
  };
  player.rounds.set(roundKey, round);
  state.nothingDueBeforeMs = Math.min(state.nothingDueBeforeMs, nowMs + operator.roundAgeMs);
  return round;
}
