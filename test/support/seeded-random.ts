// Random numbers that a printed seed repeats, for tests that need too many of them for a library of
// properties. KASSA_SEED names the seed. Used by tests only.

/** A source of random numbers: the 32-bit generator "mulberry", from a seed. */
export class SeededRandom {
  readonly seed: number;
  #state: number;

  /** Prints the seed beside the claim that it serves. */
  constructor(claim: string) {
    this.seed = Number(process.env.KASSA_SEED ?? Date.now() % 2 ** 31);
    this.#state = this.seed | 0;
    console.log(`${claim}: KASSA_SEED=${this.seed} repeats this run`);
  }

  /** 32 random bits as a signed word. */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return mixed ^ (mixed >>> 14);
  }

  /** A whole number from 0 to below the bound, which is at most 2^32. */
  below(bound: number): number {
    return Math.floor(((this.word() >>> 0) / 2 ** 32) * bound);
  }

  /** A whole number from 0 to 2^53 − 1, small and large magnitudes alike. */
  amountMinor(): number {
    const whole = (this.word() >>> 0) * 2 ** 21 + (this.word() >>> 11);
    return Math.floor(whole / 2 ** this.below(53));
  }

  /** Random bytes. */
  bytes(byteCount: number): Uint8Array {
    return Uint8Array.from({ length: byteCount }, () => this.word());
  }
}
