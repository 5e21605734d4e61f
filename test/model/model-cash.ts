// The kinds that move money without a round: deposit, withdraw, grant, convert, forfeit, adjust and
// transfer. Each function is one row of the table "Money moved", refusals in the row's order.
// Used by tests only.

import { ResultCode } from '../../core/result-codes.ts';
import { credit, fits, isOverdrawn, type Situation, statusRefusal } from './model-money.ts';

/** cashier → cash. */
export function decideDeposit(situation: Situation): number {
  const { account, amount } = situation;
  const refusal = statusRefusal(account, ['closed', 'frozen', 'betLocked']);
  if (refusal !== ResultCode.ok) {
    return refusal;
  }
  if (!fits(account, { cash: amount })) {
    return ResultCode.overflow;
  }
  credit(situation, 'cashier', { cash: amount });
  return ResultCode.ok;
}

/** cash → cashier. */
export function decideWithdraw(situation: Situation): number {
  const { account, amount } = situation;
  const refusal = statusRefusal(account, ['closed', 'frozen']);
  if (refusal !== ResultCode.ok) {
    return refusal;
  }
  if (isOverdrawn(account) || account.cash < amount) {
    return ResultCode.insufficientFunds;
  }
  credit(situation, 'cashier', { cash: -amount });
  return ResultCode.ok;
}

/** bonusFund → bonus. */
export function decideGrant(situation: Situation): number {
  const { account, amount } = situation;
  if (account.status === 'closed') {
    return ResultCode.accountClosed;
  }
  if (!fits(account, { bonus: amount })) {
    return ResultCode.overflow;
  }
  credit(situation, 'bonusFund', { bonus: amount });
  return ResultCode.ok;
}

/** bonus → cash for convert, bonus → bonusFund for forfeit; both look at bonus only. */
export function decideConvertOrForfeit(situation: Situation): number {
  const { account, amount } = situation;
  if (account.status === 'closed') {
    return ResultCode.accountClosed;
  }
  if (account.bonus < amount) {
    return ResultCode.insufficientFunds;
  }
  if (situation.transaction.kind === 'convert') {
    account.bonus -= amount;
    account.cash += amount;
  } else {
    credit(situation, 'bonusFund', { bonus: -amount });
  }
  return ResultCode.ok;
}

/** adjustments ↔ cash or bonus, in any status, below zero too. */
export function decideAdjust(situation: Situation): number {
  const { account, amount, transaction } = situation;
  const change = transaction.bucket === 'bonus' ? { bonus: amount } : { cash: amount };
  if (!fits(account, change)) {
    return ResultCode.overflow;
  }
  credit(situation, 'adjustments', change);
  return ResultCode.ok;
}

/** cash → cash of another player of the same operator, in the same currency. */
export function decideTransfer(situation: Situation): number {
  const { account, amount, state, transaction, currency } = situation;
  const refusal = statusRefusal(account, ['closed', 'frozen']);
  if (refusal !== ResultCode.ok) {
    return refusal;
  }
  if (isOverdrawn(account) || account.cash < amount) {
    return ResultCode.insufficientFunds;
  }
  const receiver = state.player(transaction.operator, transaction.to ?? '').accounts.get(currency);
  if (receiver?.status !== 'active' || !fits(receiver, { cash: amount })) {
    return ResultCode.receiverRefused;
  }
  account.cash -= amount;
  receiver.cash += amount;
  return ResultCode.ok;
}
