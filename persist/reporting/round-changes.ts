// What one snapshot does to the rounds that are open: which were opened and are still, and which
// ended. A round that opens and ends within a snapshot, as nearly all do, costs Postgres nothing.
// Belongs to the reporter's thread.
//
//   round key: 'r' and the id that the sender named; of a nameless round, which is its bet's or
//   win's alone, 'b' or 'w' and that one's transaction id
import type { JournalRow } from './journal-row.ts';

/** The record that opened a round. */
export interface RoundOpening {
  readonly shard: number;
  readonly openedSequence: number;
  readonly openedPosition: number;
  readonly openedAtMs: number;
  readonly accountId: number;
  readonly providerId: number;
  readonly roundKey: string;
  readonly gameId: number;
  /** A win joins a round that was closed by age without opening it anew (rule 17). */
  readonly isWin: boolean;
}

/** A round by its name. */
export interface RoundName {
  readonly accountId: number;
  readonly providerId: number;
  readonly roundKey: string;
}

/** A round by the record that opened it. */
export interface RoundNumber {
  readonly shard: number;
  readonly openedSequence: number;
}

/** The rounds of one snapshot. */
export class RoundChanges {
  readonly #open = new Map<string, RoundOpening>();
  readonly #ended = new Map<string, RoundName>();
  readonly aged: RoundNumber[] = [];

  /** Notes an accepted bet or win in its round. */
  note(row: JournalRow, roundKey: string, ends: boolean, isWin: boolean): void {
    const { shard, sequence, position, timeMs, accountId, providerId, gameId } = row;
    const key = `${accountId} ${providerId} ${roundKey}`;
    if (ends) {
      this.#open.delete(key);
      this.#ended.set(key, { accountId, providerId, roundKey });
    } else if (!this.#open.has(key) && !this.#ended.has(key)) {
      this.#open.set(key, {
        shard,
        openedSequence: sequence,
        openedPosition: position,
        openedAtMs: timeMs,
        accountId,
        providerId,
        roundKey,
        gameId,
        isWin,
      });
    }
  }

  /** Notes that a round was closed by age; it is known by the record that opened it. */
  noteAged(shard: number, openedSequence: number): void {
    this.aged.push({ shard, openedSequence });
  }

  /** The rounds of this snapshot that these records opened; they are open no more. */
  takeOpened(numbers: readonly RoundNumber[]): (RoundOpening | undefined)[] {
    if (numbers.length === 0) return [];
    const keys = new Map<string, string>();
    for (const [key, opening] of this.#open) keys.set(nameOf(opening), key);
    return numbers.map((number) => {
      const key = keys.get(nameOf(number)) ?? '';
      const opening = this.#open.get(key);
      this.#open.delete(key);
      return opening;
    });
  }

  /** Those that were opened, or joined without being known here, and have not ended. */
  get opened(): RoundOpening[] {
    return [...this.#open.values()];
  }

  /** Those that ended, whether they were opened here or before. */
  get ended(): RoundName[] {
    return [...this.#ended.values()];
  }
}

function nameOf({ shard, openedSequence }: RoundNumber): string {
  return `${shard} ${openedSequence}`;
}
