// The kinds that change an account and move no money: open and setStatus (rules 11, 32, 33).
// Used by tests only.

import { ResultCode } from '../../core/result-codes.ts';
import type { Situation, Verdict } from './model-money.ts';
import type { ModelPlayer } from './model-state.ts';

/** Makes the account unless it is there; an account that is there stays as it is. */
export function decideOpen(player: ModelPlayer, currency: string): Verdict {
  if (player.accounts.has(currency)) {
    return { code: ResultCode.ok, made: false };
  }
  player.accounts.set(currency, { status: 'active', cash: 0n, bonus: 0n, held: 0n });
  return { code: ResultCode.ok, made: true };
}

/** Any status may follow any; closed only where all three buckets are empty. */
export function decideSetStatus(situation: Situation): Verdict {
  const { account, transaction } = situation;
  const isEmpty = account.cash === 0n && account.bonus === 0n && account.held === 0n;
  if (transaction.status === 'closed' && !isEmpty) {
    return { code: ResultCode.accountNotEmpty };
  }
  const previousStatus = account.status;
  account.status = transaction.status ?? account.status;
  return { code: ResultCode.ok, previousStatus };
}
