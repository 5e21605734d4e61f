// What one snapshot does to the rounds that are open: which were opened and are still, and which
// ended. A round that opens and ends within a snapshot, as nearly all do, costs Postgres nothing
// and little here: bytes are hashed, and a string is made of an opened one only. Belongs to the
// reporter's thread.
import { assert } from '../../core/assert.ts';
import type { JournalRow, TextPlace } from './journal-row.ts';
import type { OpenRoundFilter } from './open-round-filter.ts';
import {
  hashOfName,
  hashOfRound,
  isRound,
  type RoundName,
  type RoundSort,
  roundKeyOf,
} from './round-name.ts';

/** The record that opened a round. */
export interface RoundOpening extends RoundName {
  readonly shard: number;
  readonly openedSequence: number;
  readonly openedPosition: number;
  readonly openedAtMs: number;
  readonly gameId: number;
  /**
   * A win joins a round that was closed by age (rule 17) and a `noop` bet any closed one (rule 24)
   * without opening it anew.
   */
  readonly mayBeLate: boolean;
}

/** A round by the record that opened it. */
export interface RoundNumber {
  readonly shard: number;
  readonly openedSequence: number;
}

/** A round as a record names it. */
export interface NotedRound {
  readonly sort: RoundSort;
  readonly id: TextPlace;
}

/** The rounds of one snapshot. */
export class RoundChanges {
  readonly #filter: OpenRoundFilter;
  /** Nearly always one opening a hash. */
  readonly #open = new Map<number, RoundOpening[]>();
  readonly #ended: RoundName[] = [];
  readonly #aged: RoundNumber[] = [];
  /** A late win may end a round that age closed before it, which still has to be named then. */
  readonly #endedBehindAged: RoundOpening[] = [];
  #isClosed = false;

  constructor(filter: OpenRoundFilter) {
    this.#filter = filter;
  }

  /** Notes an accepted bet or win in its round. */
  note(row: JournalRow, round: NotedRound, traits: { ends: boolean; mayBeLate: boolean }): void {
    const { accountId, providerId } = row;
    const { sort, id } = round;
    const hash = hashOfRound(accountId, providerId, sort, id);
    const known = this.#open.get(hash);
    const place = known?.findIndex((one) => isRound(one, accountId, providerId, sort, id)) ?? -1;
    if (!traits.ends) {
      if (place < 0) this.#noteOpen(hash, row, round, traits.mayBeLate);
      return;
    }
    if (known !== undefined && place >= 0) {
      if (this.#aged.length > 0) this.#endedBehindAged.push(known[place]);
      this.#takeOut(hash, place);
    }
    if (this.#filter.mayHave(hash)) {
      this.#ended.push({ accountId, providerId, roundKey: roundKeyOf(sort, id) });
    }
  }

  /** Notes that a round was closed by age; it is known by the record that opened it. */
  noteAged(shard: number, openedSequence: number): void {
    this.#aged.push({ shard, openedSequence });
  }

  /** Those closed by age, in the order of the log. */
  get aged(): readonly RoundNumber[] {
    return this.#aged;
  }

  /** From here on Postgres may have what is open; what follows in the log sees it so. */
  close(): void {
    assert(!this.#isClosed, 'a snapshot is closed once');
    this.#isClosed = true;
    for (const [hash, openings] of this.#open) {
      for (let count = 0; count < openings.length; count += 1) this.#filter.add(hash);
    }
  }

  /** The rounds of this snapshot that these records opened; they are open no more. */
  takeOpened(numbers: readonly RoundNumber[]): (RoundOpening | undefined)[] {
    if (numbers.length === 0) return [];
    const all = [...this.#endedBehindAged, ...this.opened];
    const openings = new Map(all.map((opening) => [nameOf(opening), opening]));
    return numbers.map((number) => {
      const opening = openings.get(nameOf(number));
      if (opening === undefined) return undefined;
      const hash = hashOfName(opening);
      const place = this.#open.get(hash)?.indexOf(opening) ?? -1;
      if (place >= 0) this.#takeOut(hash, place);
      return opening;
    });
  }

  /** Forgets a round that Postgres had and that ended: what was noted of it did not open it. */
  forget(name: RoundName): void {
    const { accountId, providerId, roundKey } = name;
    const hash = hashOfName(name);
    const place = (this.#open.get(hash) ?? []).findIndex(
      (one) =>
        one.accountId === accountId && one.providerId === providerId && one.roundKey === roundKey,
    );
    if (place >= 0) this.#takeOut(hash, place);
  }

  /** Those that were opened, or joined without being known here, and have not ended. */
  get opened(): RoundOpening[] {
    return [...this.#open.values()].flat();
  }

  /** Those that ended and that Postgres may have. */
  get ended(): readonly RoundName[] {
    return this.#ended;
  }

  #takeOut(hash: number, place: number): void {
    const openings = this.#open.get(hash) ?? [];
    openings.splice(place, 1);
    if (openings.length === 0) this.#open.delete(hash);
    // A row that waited for its bet comes after the snapshot was closed.
    if (this.#isClosed) this.#filter.remove(hash);
  }

  #noteOpen(hash: number, row: JournalRow, { sort, id }: NotedRound, mayBeLate: boolean): void {
    const { shard, sequence, position, timeMs, accountId, providerId, gameId } = row;
    const opening: RoundOpening = {
      shard,
      openedSequence: sequence,
      openedPosition: position,
      openedAtMs: timeMs,
      accountId,
      providerId,
      roundKey: roundKeyOf(sort, id),
      gameId,
      mayBeLate,
    };
    const known = this.#open.get(hash);
    if (known === undefined) this.#open.set(hash, [opening]);
    else known.push(opening);
    if (this.#isClosed) this.#filter.add(hash);
  }
}

function nameOf({ shard, openedSequence }: RoundNumber): string {
  return `${shard} ${openedSequence}`;
}
