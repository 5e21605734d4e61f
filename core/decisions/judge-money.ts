// Money in, out and between buckets or players: deposit, withdraw, transfer, grant, convert,
// forfeit, adjust. The order of each row in wallet-rules.md is the order of the tests here.
import { Field } from '../kinds.ts';
import type { Decision } from '../records/decision.ts';
import { ResultCode } from '../result-codes.ts';
import { AccountStatus } from '../tables/account-table.ts';
import {
  bucketsOverflow,
  isInDebt,
  judgeOverflow,
  judgeStatusForPaying,
  judgeStatusForPlay,
} from './balances.ts';
import type { ShardState } from './shard-state.ts';

/** A deposit: what a self-exclusion stops is stopped here. */
export function judgeDeposit(decision: Decision): number {
  const refusal = judgeStatusForPlay(decision.statusBefore);
  if (refusal !== ResultCode.ok) return refusal;
  decision.cashMovedMinor = decision.amountMinor;
  return judgeOverflow(decision);
}

/** Whether the account may pay the amount from cash: withdraw, hold, transfer. */
export function judgePayment(decision: Decision): number {
  const { amountMinor } = decision;
  const refusal = judgeStatusForPaying(decision.statusBefore);
  if (refusal !== ResultCode.ok) return refusal;
  if (isInDebt(decision) || decision.cashBeforeMinor < amountMinor) {
    return ResultCode.insufficientFunds;
  }
  decision.cashMovedMinor = -amountMinor;
  return ResultCode.ok;
}

/** A transfer within the shard; the receiver's row was looked up before (−1: there is none). */
export function judgeTransfer(state: ShardState, decision: Decision): number {
  const refusal = judgePayment(decision);
  if (refusal !== ResultCode.ok) return refusal;
  const { accounts } = state;
  const row = decision.receiverRow;
  if (row < 0 || accounts.status(row) !== AccountStatus.active) return ResultCode.receiverRefused;
  const cashMinor = accounts.cashMinor(row) + decision.amountMinor;
  if (bucketsOverflow(cashMinor, accounts.bonusMinor(row), accounts.heldMinor(row))) {
    return ResultCode.receiverRefused;
  }
  decision.receiverCashMinor = cashMinor;
  return ResultCode.ok;
}

/** Bonus money from the fund: only a closed account refuses it. */
export function judgeGrant(decision: Decision): number {
  if (isClosed(decision)) return ResultCode.accountClosed;
  decision.bonusMovedMinor = decision.amountMinor;
  return judgeOverflow(decision);
}

/** convert (bonus to cash) and forfeit (bonus back to the fund): they look at bonus only. */
export function judgeBonusOut(decision: Decision, toCash: boolean): number {
  if (isClosed(decision)) return ResultCode.accountClosed;
  const { amountMinor } = decision;
  if (decision.bonusBeforeMinor < amountMinor) return ResultCode.insufficientFunds;
  decision.bonusMovedMinor = -amountMinor;
  if (toCash) decision.cashMovedMinor = amountMinor;
  return ResultCode.ok;
}

/** Any status, and it may go below zero; only magnitudes bound it. */
export function judgeAdjust(decision: Decision): number {
  if ((decision.fields & Field.bucketBonus) === 0) decision.cashMovedMinor = decision.amountMinor;
  else decision.bonusMovedMinor = decision.amountMinor;
  return judgeOverflow(decision);
}

function isClosed(decision: Decision): boolean {
  return decision.statusBefore === AccountStatus.closed;
}
