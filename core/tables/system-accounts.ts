// The system accounts of a shard: for each (operator, currency) a house, a cashier, a bonus fund,
// an adjustments and a transit account, so that no hot account joins shards (design section 4).
// They may be negative. Owned by the shard's thread.
import { WideTotals } from './wide-total.ts';

/** The counterpart of a posting. */
export const SystemAccount = {
  house: 0,
  cashier: 1,
  bonusFund: 2,
  adjustments: 3,
  transit: 4,
} as const;

const ACCOUNTS = 5;
const CURRENCIES = 256;

/** Totals by owner (operator × 256 + currency) and system account. */
export class SystemAccounts {
  readonly #totals = new WideTotals();
  /** Operators are numbered from 1 without gaps, so the rows are dense by operator. */
  readonly #firstRows: Int32Array[] = [];
  #rowCount = 0;

  get byteCount(): number {
    return this.#totals.byteCount + this.#firstRows.length * CURRENCIES * 4;
  }

  /** Adds a signed amount to one system account of an owner. */
  add(owner: number, account: number, amountMinor: number): void {
    this.#totals.add(this.#firstRow(owner) + account, amountMinor);
  }

  /** The balance of one system account of an owner. */
  total(owner: number, account: number): bigint {
    return this.#totals.total(this.#firstRow(owner) + account);
  }

  /** The sum over the five system accounts of an owner. */
  sum(owner: number): bigint {
    let sum = 0n;
    for (let account = 0; account < ACCOUNTS; account += 1) sum += this.total(owner, account);
    return sum;
  }

  #firstRow(owner: number): number {
    const operator = owner >>> 8;
    while (operator >= this.#firstRows.length) {
      this.#firstRows.push(new Int32Array(CURRENCIES).fill(-1));
    }
    const rows = this.#firstRows[operator];
    const currency = owner & 0xff;
    if (rows[currency] < 0) {
      rows[currency] = this.#rowCount;
      this.#rowCount += ACCOUNTS;
    }
    return rows[currency];
  }
}
