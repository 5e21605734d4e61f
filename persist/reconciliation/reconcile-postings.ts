// Where money goes by kind, as the table "Money moved" of the wallet's rules has it: which system
// account stands against a kind, and what a record moves in or out of `held`. Pure; any thread.
import { Kind } from '../../core/kinds.ts';
import { SystemAccount } from '../../core/tables/system-accounts.ts';

/** Columns of the system accounts, in the order of SystemAccount. */
export const SYSTEM_ACCOUNTS: readonly string[] = [
  ...['house_minor', 'cashier_minor', 'bonus_fund_minor', 'adjustments_minor', 'transit_minor'],
];

const COUNTERPART: Int8Array = new Int8Array(64).fill(-1);
for (const kind of [Kind.bet, Kind.win, Kind.rollback]) COUNTERPART[kind] = SystemAccount.house;
for (const kind of [Kind.deposit, Kind.withdraw, Kind.capture, Kind.release, Kind.holdExpired]) {
  COUNTERPART[kind] = SystemAccount.cashier;
}
for (const kind of [Kind.grant, Kind.convert, Kind.forfeit]) {
  COUNTERPART[kind] = SystemAccount.bonusFund;
}
COUNTERPART[Kind.adjust] = SystemAccount.adjustments;

/**
 * The system account that stands against what a kind moves, or −1: of a transfer it is the other
 * player, and a hold moves within the account.
 */
export function systemAccountOf(kind: number): number {
  return COUNTERPART[kind];
}

/** Whether a kind counts in the turnover: the kinds that move money. */
export function isTurnoverKind(kind: number): boolean {
  return (kind >= Kind.deposit && kind <= Kind.adjust) || kind === Kind.holdExpired;
}

/** What a record moved into `held`, below zero out of it; the log does not store it. */
export function heldMovedMinor(record: {
  readonly kind: number;
  readonly isAccepted: boolean;
  readonly amountMinor: number;
  readonly cashMovedMinor: number;
}): number {
  const { kind, isAccepted, amountMinor, cashMovedMinor } = record;
  if (!isAccepted) return 0;
  if (kind === Kind.hold) return amountMinor;
  if (kind === Kind.capture || kind === Kind.release) return -amountMinor;
  // −0 would not compare equal to 0 as text.
  return kind === Kind.holdExpired ? 0 - cashMovedMinor : 0;
}
