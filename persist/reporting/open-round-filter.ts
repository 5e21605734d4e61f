// Which rounds Postgres may have as open, by their hashes, so that a round that was opened and
// ended within one snapshot need not be looked for there. It may say yes wrongly, never no. Belongs
// to the reporter's thread; loaded from Postgres at each start of it.

/** Above this a Map is near its own limit: then every round may be there. */
const ENTRIES_MAX = 12_000_000;

/** A counting filter over the hashes of open rounds (round-name.ts). */
export class OpenRoundFilter {
  readonly #counts = new Map<number, number>();
  #isFull = false;

  add(hash: number): void {
    if (this.#isFull) return;
    if (this.#counts.size >= ENTRIES_MAX) {
      this.#isFull = true;
      this.#counts.clear();
      return;
    }
    this.#counts.set(hash, (this.#counts.get(hash) ?? 0) + 1);
  }

  remove(hash: number): void {
    const count = this.#counts.get(hash) ?? 0;
    if (count > 1) this.#counts.set(hash, count - 1);
    else this.#counts.delete(hash);
  }

  mayHave(hash: number): boolean {
    return this.#isFull || this.#counts.has(hash);
  }
}
