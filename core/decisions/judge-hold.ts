// Captures and releases of holds, and changes of status: rules 31 and 32.
import type { Decision } from '../records/decision.ts';
import { ResultCode } from '../result-codes.ts';
import { AccountStatus } from '../tables/account-table.ts';
import { judgePayment } from './judge-money.ts';
import type { ShardState } from './shard-state.ts';

/**
 * A hold. The policy's longest expiry is judged here and not with the form, so that a policy that
 * was lowered meanwhile doesn't take the answer from a repeat (rule 2).
 */
export function judgeHold(state: ShardState, decision: Decision): number {
  const { holdExpiryMaxMs } = state.directory.operator(decision.owner >>> 8).policies;
  if (decision.expiresInMs > holdExpiryMaxMs) return ResultCode.malformed;
  const refusal = judgePayment(decision);
  if (refusal !== ResultCode.ok) return refusal;
  decision.heldMovedMinor = decision.amountMinor;
  return ResultCode.ok;
}

/** capture (to the cashier) and release (back to cash); no status stops them. */
export function judgeHoldEnd(state: ShardState, decision: Decision, toCash: boolean): number {
  const { index, holds } = state;
  const { reference } = decision.keys;
  const referenceAt = decision.row * 4;
  index.probe(reference, referenceAt);
  const row = index.outcomeRow;
  if (row < 0 || index.outcomes.code(row) !== ResultCode.ok) return ResultCode.holdNotFound;
  if (index.outcomes.accountRow(row) !== decision.accountRow) return ResultCode.holdNotFound;
  decision.holdRow = holds.find(reference, referenceAt);
  if (decision.holdRow < 0) return ResultCode.holdFinished;
  const { amountMinor } = decision;
  if (amountMinor > holds.remainingMinor(decision.holdRow)) return ResultCode.exceedsHold;
  decision.heldMovedMinor = -amountMinor;
  if (toCash) decision.cashMovedMinor = amountMinor;
  return ResultCode.ok;
}

/** Any status may follow any, but `closed` needs three empty buckets. */
export function judgeSetStatus(decision: Decision): number {
  decision.extra = decision.statusBefore;
  if (decision.status !== AccountStatus.closed) return ResultCode.ok;
  const isEmpty =
    decision.cashBeforeMinor === 0 &&
    decision.bonusBeforeMinor === 0 &&
    decision.heldBeforeMinor === 0;
  return isEmpty ? ResultCode.ok : ResultCode.accountNotEmpty;
}
