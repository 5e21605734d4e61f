// Which rounds Postgres may have as open: by a hash of 52 bits each, so that a round that was opened
// and ended within one snapshot need not be looked for there. It may say yes wrongly, never no.
// Belongs to the reporter's thread; loaded from Postgres at each start of it.

/** Above this a Map is near its own limit: then every round may be there. */
const ENTRIES_MAX = 12_000_000;
const FIRST_SEED: number = 0xdeadbeef;
const SECOND_SEED: number = 0x41c6ce57;

/** A counting filter over the names of open rounds. */
export class OpenRoundFilter {
  readonly #counts = new Map<number, number>();
  #isFull = false;

  add(name: string): void {
    if (this.#isFull) return;
    if (this.#counts.size >= ENTRIES_MAX) {
      this.#isFull = true;
      this.#counts.clear();
      return;
    }
    const hash = hashOf(name);
    this.#counts.set(hash, (this.#counts.get(hash) ?? 0) + 1);
  }

  remove(name: string): void {
    const hash = hashOf(name);
    const count = this.#counts.get(hash) ?? 0;
    if (count > 1) this.#counts.set(hash, count - 1);
    else this.#counts.delete(hash);
  }

  mayHave(name: string): boolean {
    return this.#isFull || this.#counts.has(hashOf(name));
  }
}

/** Two multiplicative hashes of 32 bits, mixed and put together. */
function hashOf(text: string): number {
  let first = FIRST_SEED;
  let second = SECOND_SEED;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    first = Math.imul(first ^ unit, 2_654_435_761);
    second = Math.imul(second ^ unit, 1_597_334_677);
  }
  first = Math.imul(first ^ (first >>> 16), 2_246_822_507) ^ Math.imul(second ^ (second >>> 13), 3);
  second =
    Math.imul(second ^ (second >>> 16), 2_246_822_507) ^ Math.imul(first ^ (first >>> 13), 5);
  return 4_294_967_296 * (2_097_151 & second) + (first >>> 0);
}
