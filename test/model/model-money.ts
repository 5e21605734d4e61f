// What the decisions of the model share: the situation that a transaction is judged in, refusals by
// status, the bound on balances, and the only function that moves money (always from one account to
// another, so that sums stay zero). Used by tests only.

import { ResultCode } from '../../core/result-codes.ts';
import type {
  ModelAccount,
  ModelOperator,
  ModelPlayer,
  ModelState,
  SystemAccount,
  SystemBooks,
} from './model-state.ts';
import type { AccountStatus, ModelTransaction } from './model-transaction.ts';

/** What a transaction is judged in; its form is right and its account is there. */
export interface Situation {
  readonly state: ModelState;
  readonly operator: ModelOperator;
  readonly player: ModelPlayer;
  readonly account: ModelAccount;
  readonly books: SystemBooks;
  readonly transaction: ModelTransaction;
  /** The amount, 0 where none was named. */
  readonly amount: bigint;
  readonly currency: string;
  readonly nowMs: number;
}

/** What was decided; state has changed only if the code is ok. */
export interface Verdict {
  code: number;
  noop?: boolean;
  made?: boolean;
  previousStatus?: AccountStatus;
}

const largest = 2n ** 53n - 1n;

function withinBounds(amount: bigint): boolean {
  return amount >= -largest && amount <= largest;
}

/** Whether a sum is small enough for the engine, by its magnitude. */
export function fitsStake(stake: bigint): boolean {
  return withinBounds(stake);
}

/** Whether the account's buckets and their sum stay within bounds after the changes. */
export function fits(
  account: ModelAccount,
  change: { cash?: bigint; bonus?: bigint; held?: bigint },
): boolean {
  const cash = account.cash + (change.cash ?? 0n);
  const bonus = account.bonus + (change.bonus ?? 0n);
  const held = account.held + (change.held ?? 0n);
  // Cash with held, and cash with bonus: what is held must always fit back, or be taken away.
  return [cash, bonus, held, cash + bonus, cash + held, cash + bonus + held].every(withinBounds);
}

/** Moves an amount (below zero: the other way) from a system account to a player's bucket. */
export function credit(
  situation: Situation,
  from: SystemAccount,
  amounts: { cash?: bigint; bonus?: bigint; held?: bigint },
): void {
  const { account, books } = situation;
  for (const bucket of ['cash', 'bonus', 'held'] as const) {
    const amount = amounts[bucket] ?? 0n;
    books[from] -= amount;
    account[bucket] += amount;
  }
}

/** The refusal for the account's status if it is one of those named, else ok. */
export function statusRefusal(account: ModelAccount, refused: readonly AccountStatus[]): number {
  if (!refused.includes(account.status)) {
    return ResultCode.ok;
  }
  if (account.status === 'closed') {
    return ResultCode.accountClosed;
  }
  return account.status === 'frozen' ? ResultCode.accountFrozen : ResultCode.accountBetLocked;
}

/** Whether cash or bonus is below zero, which stops bets, withdraw, hold and transfer. */
export function isOverdrawn(account: ModelAccount): boolean {
  return account.cash < 0n || account.bonus < 0n;
}
