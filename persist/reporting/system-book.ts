// The system accounts of each operator and currency, all shards' together, made of the amounts
// that records moved: the other side of each posting. The players' side comes from the balances
// that records carry, so that the trial balance compares two things. Belongs to the reporter's
// thread.
import { unreachable } from '../../core/assert.ts';
import { Kind } from '../../core/kinds.ts';
import { SystemAccount } from '../../core/tables/system-accounts.ts';
import type { Tier } from './snapshot.ts';
import { WideSum } from './wide-sum.ts';

/** Balances in the order of SystemAccount. */
export type SystemBalances = readonly bigint[];

interface SystemRow {
  readonly sums: readonly WideSum[];
  /** Bit t: changed since the last row of tier t. */
  tierBits: number;
}

const ACCOUNTS: number = Object.keys(SystemAccount).length;
const ALL_TIERS = 0b1111;

/** The system account that takes the other side of a kind's money; −1 where nothing is posted. */
export function systemAccountOf(kind: number): number {
  const known = kind as Kind;
  switch (known) {
    case Kind.bet:
    case Kind.win:
    case Kind.rollback:
      return SystemAccount.house;
    case Kind.deposit:
    case Kind.withdraw:
    case Kind.capture:
    case Kind.release:
    case Kind.holdExpired:
      return SystemAccount.cashier;
    case Kind.grant:
    case Kind.convert:
    case Kind.forfeit:
      return SystemAccount.bonusFund;
    case Kind.adjust:
      return SystemAccount.adjustments;
    case Kind.hold:
      return SystemAccount.transit;
    case Kind.transfer:
    case Kind.open:
    case Kind.setStatus:
    case Kind.setOperator:
    case Kind.setClient:
    case Kind.roundAged:
    case Kind.setRetention:
      return -1;
    default:
      return unreachable(known);
  }
}

/** The system accounts of all owners. */
export class SystemBook {
  readonly #rows = new Map<number, SystemRow>();

  /** Posts the other side of what a record moved; `owner` is operator × 256 + currency's number. */
  post(owner: number, kind: number, movedMinor: number): void {
    const account = systemAccountOf(kind);
    if (account < 0 || movedMinor === 0) return;
    const row = this.#rowOf(owner);
    row.sums[account].add(-movedMinor);
    row.tierBits = ALL_TIERS;
  }

  /** Takes over what Postgres has; it is written again with the next row of each higher tier. */
  load(owner: number, balances: SystemBalances): void {
    const row = this.#rowOf(owner);
    for (const [account, balance] of balances.entries()) row.sums[account].addWide(balance);
    row.tierBits = ALL_TIERS & ~1;
  }

  /** Owners whose balances changed since the last call for this tier, and the balances. */
  takeChanged(tier: Tier): [owner: number, balances: SystemBalances][] {
    const changed: [number, SystemBalances][] = [];
    for (const [owner, row] of this.#rows) {
      if ((row.tierBits & (1 << tier)) === 0) continue;
      row.tierBits &= ~(1 << tier);
      changed.push([owner, row.sums.map(({ value }) => value)]);
    }
    return changed;
  }

  #rowOf(owner: number): SystemRow {
    let row = this.#rows.get(owner);
    if (row === undefined) {
      row = { sums: Array.from({ length: ACCOUNTS }, () => new WideSum()), tierBits: 0 };
      this.#rows.set(owner, row);
    }
    return row;
  }
}
