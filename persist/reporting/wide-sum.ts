// A sum of whole amounts that may pass 2^53: a double while that is exact, and a BigInt for what
// came before. Adding is one addition and one comparison nearly always.

/** A running sum. */
export class WideSum {
  #high = 0n;
  #low = 0;

  /** Adds a safe whole number. */
  add(amountMinor: number): void {
    const sum = this.#low + amountMinor;
    if (Number.isSafeInteger(sum)) {
      this.#low = sum;
      return;
    }
    this.#high += BigInt(this.#low);
    this.#low = amountMinor;
  }

  /** Adds what is already exact. */
  addWide(amountMinor: bigint): void {
    this.#high += amountMinor;
  }

  get value(): bigint {
    return this.#high + BigInt(this.#low);
  }
}
