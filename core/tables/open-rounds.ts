// The open rounds of each operator in the order of opening, as lists through the round rows: the
// oldest is found at once, whatever the operator's age setting is at that moment (rule 29).
// Owned by the shard's thread.
import { RoundLink, type RoundRows } from './round-rows.ts';

/** One list an operator. A round stands in it from opening to closing. */
export class OpenRounds {
  readonly #rounds: RoundRows;
  /** By operator number; −1 for an empty list. */
  readonly #first: number[] = [];
  readonly #last: number[] = [];
  #rowCount = 0;

  constructor(rounds: RoundRows) {
    this.#rounds = rounds;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** The operator's oldest open round, or −1. */
  first(operator: number): number {
    return this.#first[operator] ?? -1;
  }

  /** Puts a round that was just opened at the end. */
  append(operator: number, row: number): void {
    const last = this.#last[operator] ?? -1;
    this.insert(operator, row, last, -1);
  }

  /** Puts a round between two neighbours (−1: none), where it stood before it was taken out. */
  insert(operator: number, row: number, previous: number, next: number): void {
    const rounds = this.#rounds;
    rounds.setLink(row, RoundLink.previous, previous);
    rounds.setLink(row, RoundLink.next, next);
    if (previous < 0) this.#first[operator] = row;
    else rounds.setLink(previous, RoundLink.next, row);
    if (next < 0) this.#last[operator] = row;
    else rounds.setLink(next, RoundLink.previous, row);
    this.#rowCount += 1;
  }

  /** Takes a round out; its links keep naming its neighbours. */
  remove(operator: number, row: number): void {
    const rounds = this.#rounds;
    const previous = rounds.link(row, RoundLink.previous);
    const next = rounds.link(row, RoundLink.next);
    if (previous < 0) this.#first[operator] = next;
    else rounds.setLink(previous, RoundLink.next, next);
    if (next < 0) this.#last[operator] = previous;
    else rounds.setLink(next, RoundLink.previous, previous);
    this.#rowCount -= 1;
  }
}
