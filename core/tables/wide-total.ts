// Sums over many accounts in two limbs of 32 bits and up: they pass 2^53 although no single amount
// does (design law 4). The value is high × 2^32 + low with 0 ≤ low < 2^32; exact below 2^85.
import { assert } from '../assert.ts';

const LIMB = 4_294_967_296;

/** Rows of exact totals, each two doubles. */
export class WideTotals {
  #limbs = new Float64Array(64);

  get byteCount(): number {
    return this.#limbs.byteLength;
  }

  /** Adds a signed whole amount of at most 2^53 − 1 in magnitude to a row. */
  add(row: number, amountMinor: number): void {
    assert(Number.isSafeInteger(amountMinor), 'money is whole');
    if (row * 2 >= this.#limbs.length) this.#grow(row);
    const sum = this.#limbs[row * 2 + 1] + amountMinor;
    if (sum >= 0 && sum < LIMB) {
      // Nearly always: no carry, and no division.
      this.#limbs[row * 2 + 1] = sum;
      return;
    }
    const high = Math.floor(amountMinor / LIMB);
    let low = this.#limbs[row * 2 + 1] + (amountMinor - high * LIMB);
    let carry = 0;
    if (low >= LIMB) {
      low -= LIMB;
      carry = 1;
    }
    this.#limbs[row * 2] += high + carry;
    this.#limbs[row * 2 + 1] = low;
  }

  /** A row's total, for reports and checks. */
  total(row: number): bigint {
    if (row * 2 >= this.#limbs.length) return 0n;
    return BigInt(this.#limbs[row * 2]) * BigInt(LIMB) + BigInt(this.#limbs[row * 2 + 1]);
  }

  #grow(row: number): void {
    const grown = new Float64Array(Math.max(this.#limbs.length * 2, (row + 1) * 2));
    grown.set(this.#limbs);
    this.#limbs = grown;
  }
}
