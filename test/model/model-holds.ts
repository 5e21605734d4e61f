// Holds (rule 31): money set aside, captured or released in parts until nothing is left, and what
// is left at the expiry. Used by tests only.

import { ResultCode } from '../../core/result-codes.ts';
import { credit, isOverdrawn, type Situation, statusRefusal } from './model-money.ts';
import { keyOf, targetKey } from './model-state.ts';

/** cash → held. */
export function decideHold(situation: Situation): number {
  const { account, amount, player, state, transaction, nowMs } = situation;
  if ((transaction.expiresIn ?? 0) > situation.operator.holdExpiryMaxMs) {
    return ResultCode.malformed;
  }
  const refusal = statusRefusal(account, ['closed', 'frozen']);
  if (refusal !== ResultCode.ok) {
    return refusal;
  }
  if (isOverdrawn(account) || account.cash < amount) {
    return ResultCode.insufficientFunds;
  }
  account.cash -= amount;
  account.held += amount;
  const { expiresIn } = transaction;
  const dueMs = expiresIn === undefined ? undefined : nowMs + expiresIn;
  state.createdCount += 1;
  player.holds.set(keyOf(transaction), {
    provider: transaction.provider,
    currency: situation.currency,
    transactionId: transaction.transactionId,
    remaining: amount,
    dueMs,
    order: state.createdCount,
  });
  if (dueMs !== undefined) {
    state.nothingDueBeforeMs = Math.min(state.nothingDueBeforeMs, dueMs);
  }
  return ResultCode.ok;
}

/** held → cashier for capture, held → cash for release; in any status. */
export function decideCaptureOrRelease(situation: Situation): number {
  const { account, amount, player, transaction } = situation;
  const hold = player.holds.get(
    targetKey(transaction.provider, 'hold', transaction.reference ?? ''),
  );
  if (hold === undefined || hold.currency !== situation.currency) {
    return ResultCode.holdNotFound;
  }
  if (hold.remaining === 0n) {
    return ResultCode.holdFinished;
  }
  if (amount > hold.remaining) {
    return ResultCode.exceedsHold;
  }
  const isCapture = transaction.kind === 'capture';
  if (isCapture) {
    credit(situation, 'cashier', { held: -amount });
  } else {
    account.held -= amount;
    account.cash += amount;
  }
  hold.remaining -= amount;
  return ResultCode.ok;
}
