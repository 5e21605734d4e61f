// Pseudo-random choices that a seed repeats (xorshift32). One sequence for one purpose: what one
// part draws does not change what another gets.

/** A sequence of choices. */
export class RandomChoice {
  #state: number;

  constructor(seed: number) {
    // The generator has one fixed point, 0; the first steps away from a small seed are small too.
    this.#state = (seed ^ 0x9e3779b9) | 0 || 1;
    for (let step = 0; step < 16; step += 1) this.#next();
  }

  /** A whole number from least to most, both included. */
  whole(least: number, most: number): number {
    return least + (this.#next() % (most - least + 1));
  }

  /** True so many times in a hundred. */
  chance(percent: number): boolean {
    return this.#next() % 100 < percent;
  }

  /** One of the things. */
  pick<Thing>(things: readonly Thing[]): Thing {
    return things[this.#next() % things.length];
  }

  #next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }
}
