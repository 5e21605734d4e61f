// HoldTable: holds by key, and the heap of expiries against a sorted list.
import { describe, expect, test } from 'vitest';
import { type HoldFacts, HoldTable } from '../../../core/tables/hold-table.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

function facts(sequence: number, expiresAtMs: number): HoldFacts {
  const key = Int32Array.of(sequence % 16, sequence, 0, 0);
  return { key, accountRow: sequence, amountMinor: sequence * 10, expiresAtMs, sequence };
}

describe('HoldTable', () => {
  test('a hold is found by its whole key, and keeps its facts', () => {
    const holds = new HoldTable();
    const key = Int32Array.of(1, 2, 3, 4);
    const amountMinor = Number.MAX_SAFE_INTEGER;
    const row = holds.add({
      key,
      accountRow: 5,
      amountMinor,
      expiresAtMs: 2 ** 41,
      sequence: 2 ** 40,
    });
    expect(holds.find(Int32Array.of(9, 1, 2, 3, 4), 1)).toBe(row);
    for (let word = 0; word < 4; word += 1) {
      const other = key.slice();
      other[word] += 1;
      expect(holds.find(other, 0)).toBe(-1);
    }
    expect([holds.accountRow(row), holds.remainingMinor(row)]).toEqual([5, amountMinor]);
    expect([holds.expiresAtMs(row), holds.sequence(row)]).toEqual([2 ** 41, 2 ** 40]);
    expect([...holds.key(row)]).toEqual([1, 2, 3, 4]);
    holds.setRemaining(row, 1);
    expect(holds.remainingMinor(row)).toBe(1);
    holds.remove(row);
    expect(holds.find(key, 0)).toBe(-1);
    expect(holds.rowCount).toBe(0);
  });

  test('a hold without an expiry is never the first to expire', () => {
    const holds = new HoldTable();
    const row = holds.add(facts(1, 0));
    expect(holds.firstToExpire()).toBe(-1);
    const other = holds.add(facts(2, 1));
    expect(holds.firstToExpire()).toBe(other);
    holds.remove(row);
    holds.remove(other);
    expect(holds.firstToExpire()).toBe(-1);
  });

  test('of equal expiries the older hold goes first', () => {
    const holds = new HoldTable();
    for (const sequence of [5, 3, 4, 1, 2]) holds.add(facts(sequence, 100));
    const order: number[] = [];
    for (let row = holds.firstToExpire(); row >= 0; row = holds.firstToExpire()) {
      order.push(holds.sequence(row));
      holds.remove(row);
    }
    expect(order).toEqual([1, 2, 3, 4, 5]);
  });

  test('random holds that come, finish and expire agree with a sorted list', () => {
    const random = new SeededRandom('HoldTable');
    const holds = new HoldTable();
    const list: HoldFacts[] = [];
    const isBefore = (one: HoldFacts, other: HoldFacts) =>
      one.expiresAtMs - other.expiresAtMs || one.sequence - other.sequence;
    for (let sequence = 1; sequence <= 6000; sequence += 1) {
      const hold = facts(sequence, random.below(4) === 0 ? 0 : 1 + random.below(300));
      list.push(hold);
      holds.add(hold);
      // More come than go at first, so the heap grows beyond its first memory.
      while (list.length > 0 && random.below(sequence < 4000 ? 3 : 2) === 0) {
        const [gone] = list.splice(random.below(list.length), 1);
        holds.remove(holds.find(gone.key, 0));
      }
      const expiring = list.filter(({ expiresAtMs }) => expiresAtMs > 0);
      const [first] = sequence % 20 === 0 ? expiring.toSorted(isBefore) : [undefined];
      if (first !== undefined) expect(holds.sequence(holds.firstToExpire())).toBe(first.sequence);
    }
    expect(holds.rowCount).toBe(list.length);
    expect(list.length).toBeGreaterThan(1500);
    const expected = list.filter(({ expiresAtMs }) => expiresAtMs > 0).toSorted(isBefore);
    for (const hold of expected) {
      const row = holds.firstToExpire();
      expect(holds.sequence(row)).toBe(hold.sequence);
      expect(holds.remainingMinor(row)).toBe(hold.amountMinor);
      holds.remove(row);
    }
    expect(holds.firstToExpire()).toBe(-1);
  });
});
