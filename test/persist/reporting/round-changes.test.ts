// Rounds as a snapshot counts them: which were opened and which ended, told apart even where their
// hashes agree, and a filter that never misses what Postgres has.
import { expect, test } from 'vitest';
import { OpenRoundFilter } from '../../../persist/reporting/open-round-filter.ts';
import { RoundChanges } from '../../../persist/reporting/round-changes.ts';
import { hashOfName, type RoundName } from '../../../persist/reporting/round-name.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { roundWithHash, rowIn } from './colliding-rounds.ts';

const HASH = 0x12_3456_789a_bcde;
const OPENS = { ends: false, mayBeLate: false };
const ENDS = { ends: true, mayBeLate: false };

/** Notes a bet in the round, as a record that has the round's name. */
function note(changes: RoundChanges, round: RoundName, sequence: number, traits = OPENS): void {
  const row = rowIn(round, sequence);
  changes.note(row, { sort: 'r', id: row.round }, traits);
}

function openedBy(changes: RoundChanges): number[] {
  return changes.opened.map(({ openedSequence }) => openedSequence);
}

test('a filter has a hash until it was taken out as often as it was put in', () => {
  const filter = new OpenRoundFilter();
  filter.add(HASH);
  filter.add(HASH);
  filter.remove(HASH);
  expect(filter.mayHave(HASH)).toBe(true);
  filter.remove(HASH);
  filter.remove(HASH);
  expect(filter.mayHave(HASH)).toBe(false);
  filter.add(HASH);
  expect(filter.mayHave(HASH)).toBe(true);
});

test('a round that opens and ends within a snapshot leaves nothing to write', () => {
  const changes = new RoundChanges(new OpenRoundFilter());
  const round = roundWithHash(HASH, 1, 'one');
  note(changes, round, 1);
  note(changes, round, 2, ENDS);
  expect([changes.opened, changes.ended]).toEqual([[], []]);
});

test('a round that Postgres has ends there, and further bets open it no second time', () => {
  const filter = new OpenRoundFilter();
  const first = new RoundChanges(filter);
  const round = roundWithHash(HASH, 1, 'one');
  note(first, round, 1);
  note(first, round, 2);
  expect(openedBy(first)).toEqual([1]);
  first.close();
  const second = new RoundChanges(filter);
  note(second, round, 3, ENDS);
  expect([second.opened, second.ended]).toEqual([[], [round]]);
});

test('rounds of one hash are told apart, by name and by the record that opened them', () => {
  const changes = new RoundChanges(new OpenRoundFilter());
  const rounds = [0, 1, 2, 3].map((variant) => roundWithHash(HASH, variant, `name-${variant}`));
  expect(new Set(rounds.map(hashOfName))).toEqual(new Set([HASH]));
  for (const [place, round] of rounds.entries()) note(changes, round, place + 1);
  note(changes, rounds[1], 5, ENDS);
  expect(openedBy(changes)).toEqual([1, 3, 4]);
  const [aged, unknown] = changes.takeOpened([
    { shard: 0, openedSequence: 3 },
    { shard: 0, openedSequence: 2 },
  ]);
  expect([aged?.roundKey, unknown]).toEqual(['rname-2', undefined]);
  changes.forget(rounds[3]);
  changes.forget(rounds[2]);
  expect(openedBy(changes)).toEqual([1]);
});

test('what an open round is called apart from its id tells it apart too', () => {
  const changes = new RoundChanges(new OpenRoundFilter());
  const round = { accountId: 5, providerId: 6, roundKey: 'rname' };
  note(changes, round, 1);
  note(changes, { ...round, accountId: 6 }, 2);
  note(changes, { ...round, providerId: 5 }, 3);
  const row = rowIn(round, 4);
  changes.note(row, { sort: 'b', id: row.round }, OPENS);
  changes.note(row, { sort: 'w', id: row.round }, OPENS);
  note(changes, { ...round, roundKey: 'rnam' }, 5);
  expect(openedBy(changes)).toEqual([1, 2, 3, 4, 4, 5]);
});

test('random rounds of few hashes stand in Postgres as long as they are open', () => {
  const random = new SeededRandom('random rounds of few hashes');
  const filter = new OpenRoundFilter();
  const stored = new Set<string>();
  const open = new Map<string, RoundName>();
  let writing: RoundChanges | null = null;
  let sequence = 0;
  for (let snapshot = 0; snapshot < 400; snapshot += 1) {
    const changes = new RoundChanges(filter);
    const openBefore = new Set(open.keys());
    const recordCount = random.below(12);
    for (let record = 0; record < recordCount; record += 1) {
      sequence += 1;
      // Half of the records come while the snapshot before is being written.
      if (record * 2 > recordCount && writing !== null) {
        store(writing, { filter, stored });
        expect([...stored].sort()).toEqual([...openBefore].sort());
        writing = null;
      }
      const known = [...open.values()][random.below(open.size * 2 + 1)];
      const round = known ?? roundWithHash(HASH + random.below(3), sequence, `round-${sequence}`);
      const ends = random.below(3) === 0;
      note(changes, round, sequence, { ends, mayBeLate: false });
      if (ends) open.delete(keyOf(round));
      else open.set(keyOf(round), round);
    }
    if (writing !== null) store(writing, { filter, stored });
    expect([...stored].sort()).toEqual([...openBefore].sort());
    changes.close();
    writing = changes;
  }
  const hasAll = [...open.values()].every((round) => filter.mayHave(hashOfName(round)));
  expect(hasAll).toBe(true);
});

/** What open-round-rows.ts does with Postgres, with a set of names. */
function store(
  changes: RoundChanges,
  { filter, stored }: { readonly filter: OpenRoundFilter; readonly stored: Set<string> },
): void {
  for (const round of changes.ended) {
    if (stored.delete(keyOf(round))) filter.remove(hashOfName(round));
  }
  for (const round of changes.opened) {
    if (stored.has(keyOf(round))) filter.remove(hashOfName(round));
    stored.add(keyOf(round));
  }
}

function keyOf({ accountId, providerId, roundKey }: RoundName): string {
  return `${accountId} ${providerId} ${roundKey}`;
}
