// The open rounds of each operator in the order of opening, as lists through the round rows: the
// oldest is found at once, whatever the operator's age setting is at that moment (rule 29).
// Owned by the shard's thread.
import { OPERATORS_MAX } from '../limits.ts';
import { RoundLink, type RoundRows } from './round-rows.ts';
import { type LinearMemory, PLAIN_MEMORY, type TableMemory } from './table-memory.ts';

/** Words of an operator's list. */
export const LIST_WORDS = 2;

/** Where a list has its ends, in words: a round's row + 1, 0 for none. */
export const ListWord = { first: 0, last: 1 } as const;

const LISTS_BYTES: number = (OPERATORS_MAX + 1) * LIST_WORDS * 4;

/** One list an operator. A round stands in it from opening to closing. */
export class OpenRounds {
  /** Of the lists, by operator number. */
  readonly memory: LinearMemory;
  readonly #rounds: RoundRows;
  readonly #lists: Int32Array;
  #rowCount = 0;

  constructor(rounds: RoundRows, memory: TableMemory = PLAIN_MEMORY) {
    this.#rounds = rounds;
    this.memory = memory.takeLinear(LISTS_BYTES);
    this.#lists = new Int32Array(this.memory.grow(LISTS_BYTES));
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** The operator's oldest open round, or −1. */
  first(operator: number): number {
    return this.#lists[operator * LIST_WORDS + ListWord.first] - 1;
  }

  /** Tells by how many there are more, or less, since a kernel changed the lists. */
  noteChange(change: number): void {
    this.#rowCount += change;
  }

  /** Puts a round that was just opened at the end. */
  append(operator: number, row: number): void {
    const last = this.#lists[operator * LIST_WORDS + ListWord.last] - 1;
    this.insert(operator, row, last, -1);
  }

  /** Puts a round between two neighbours (−1: none), where it stood before it was taken out. */
  insert(operator: number, row: number, previous: number, next: number): void {
    const rounds = this.#rounds;
    rounds.setLink(row, RoundLink.previous, previous);
    rounds.setLink(row, RoundLink.next, next);
    if (previous < 0) this.#lists[operator * LIST_WORDS + ListWord.first] = row + 1;
    else rounds.setLink(previous, RoundLink.next, row);
    if (next < 0) this.#lists[operator * LIST_WORDS + ListWord.last] = row + 1;
    else rounds.setLink(next, RoundLink.previous, row);
    this.#rowCount += 1;
  }

  /** Takes a round out; its links keep naming its neighbours. */
  remove(operator: number, row: number): void {
    const rounds = this.#rounds;
    const previous = rounds.link(row, RoundLink.previous);
    const next = rounds.link(row, RoundLink.next);
    if (previous < 0) this.#lists[operator * LIST_WORDS + ListWord.first] = next + 1;
    else rounds.setLink(previous, RoundLink.next, next);
    if (next < 0) this.#lists[operator * LIST_WORDS + ListWord.last] = previous + 1;
    else rounds.setLink(next, RoundLink.previous, previous);
    this.#rowCount -= 1;
  }
}
