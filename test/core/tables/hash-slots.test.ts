// HashSlots against a Map of sets, and what it does under growth, removal and bad luck.
import { describe, expect, test } from 'vitest';
import { HashSlots } from '../../../core/tables/hash-slots.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

/** All references under a tag, in no order. */
function referencesOf(slots: HashSlots, select: number, tag: number): number[] {
  const found: number[] = [];
  for (let one = slots.find(select, tag); one !== 0; one = slots.findNext()) found.push(one);
  return found.toSorted((a, b) => a - b);
}

describe('HashSlots agrees with a Map', () => {
  test.each([2, 64])('over random insertions, removals and lookups in %i sub-tables', (tables) => {
    const random = new SeededRandom('HashSlots');
    const slots = new HashSlots(tables);
    const expected = new Map<string, { select: number; tag: number; references: Set<number> }>();
    const keys: string[] = [];
    let entryCount = 0;
    for (let step = 1; step <= 60_000; step += 1) {
      // A tenth of the tags share few homes at the table's end: clusters that wrap, shared tags.
      const select = random.word();
      const tag =
        random.below(10) === 0 ? (random.below(40) << 12) - 4 + random.below(8) : random.word();
      const again = random.below(4) === 0 && keys.length > 0;
      const key = again ? keys[random.below(keys.length)] : `${select >>> 26}/${select}/${tag}`;
      let entry = expected.get(key);
      if (entry === undefined) {
        entry = { select, tag, references: new Set() };
        expected.set(key, entry);
        keys.push(key);
      }
      const { references } = entry;
      if (references.size > 0 && random.below(5) < 2) {
        const [reference] = references;
        references.delete(reference);
        slots.remove(entry.select, entry.tag, reference);
        entryCount -= 1;
      } else {
        references.add(step);
        slots.insert(entry.select, entry.tag, step);
        entryCount += 1;
      }
      if (slots.entryCount !== entryCount) expect.fail(`${slots.entryCount} entries`);
    }
    for (const { select, tag, references } of expected.values()) {
      const found = referencesOf(slots, select, tag);
      for (const reference of references) {
        if (!found.includes(reference)) expect.fail(`lost ${reference} under ${tag}`);
      }
    }
    expect(slots.probeLengthMax).toBeLessThanOrEqual(256);
  });

  test('after all is removed nothing is found and nothing is left behind', () => {
    const random = new SeededRandom('HashSlots');
    const slots = new HashSlots(2);
    const entries = Array.from({ length: 5000 }, (_, place) => {
      return { select: random.word(), tag: random.below(9000), reference: place + 1 };
    });
    for (const { select, tag, reference } of entries) slots.insert(select, tag, reference);
    for (const [place, { select, tag, reference }] of entries.entries()) {
      slots.remove(select, tag, reference);
      const next = entries[place + 1];
      if (next === undefined) break;
      const found = referencesOf(slots, next.select, next.tag);
      if (!found.includes(next.reference)) expect.fail(`lost ${next.reference}`);
    }
    expect(slots.entryCount).toBe(0);
    for (const { select, tag } of entries) expect(slots.find(select, tag)).toBe(0);
  });
});

describe('HashSlots and its edges', () => {
  test('growth keeps every entry and adds to one sub-table at a time', () => {
    const random = new SeededRandom('HashSlots');
    const slots = new HashSlots(16);
    const first = slots.byteCount;
    const entries: (readonly [number, number])[] = [];
    let before = first;
    for (let reference = 1; reference <= 20_000; reference += 1) {
      const entry = [random.word(), random.word()] as const;
      entries.push(entry);
      slots.insert(...entry, reference);
      // One of sixteen doubles; it is at most twice as large as the others.
      if (slots.byteCount - before > before / 8) expect.fail(`grew by ${slots.byteCount - before}`);
      before = slots.byteCount;
    }
    for (const [place, entry] of entries.entries()) {
      if (!referencesOf(slots, ...entry).includes(place + 1)) expect.fail(`lost ${place + 1}`);
    }
    expect(slots.byteCount).toBeGreaterThan(first * 32);
  });

  test('a gap is closed across the end of the table', () => {
    const slots = new HashSlots(2);
    // Homes 14, 14, 15, 14 of 16 slots: the cluster wraps to 0 and 1.
    const tags = [14, 30, 15, 46];
    for (const [place, tag] of tags.entries()) slots.insert(0, tag, place + 1);
    slots.remove(0, 14, 1);
    expect(tags.map((tag) => slots.find(0, tag))).toEqual([0, 2, 3, 4]);
    slots.remove(0, 30, 2);
    expect(tags.map((tag) => slots.find(0, tag))).toEqual([0, 0, 3, 4]);
    slots.remove(0, 15, 3);
    expect(tags.map((tag) => slots.find(0, tag))).toEqual([0, 0, 0, 4]);
  });

  test('tags that share their home grow the sub-table before a probe passes the bound', () => {
    const slots = new HashSlots(2);
    for (let place = 0; place < 400; place += 1) slots.insert(0, place << 12, place + 1);
    expect(slots.probeLengthMax).toBeLessThanOrEqual(256);
    for (let place = 0; place < 400; place += 1) {
      expect(slots.find(0, place << 12)).toBe(place + 1);
    }
  });

  test('a cluster of long probes that wraps loses nothing when its sub-table grows', () => {
    const slots = new HashSlots(2);
    // 512 slots. 256 entries of home 412 wrap to slot 155; 80 more of homes 413… stand behind.
    // Growing goes through the slots from 0, so the ones before the end come last.
    const tags: number[] = [];
    for (let place = 0; place < 256; place += 1) tags.push(412 + (place << 12));
    for (let place = 0; place < 80; place += 1) tags.push(413 + place + (1 << 20));
    for (const [place, tag] of tags.entries()) slots.insert(0, tag, place + 1);
    expect(tags.map((tag) => slots.find(0, tag))).toEqual(tags.map((_, place) => place + 1));
  });

  test('references under one tag are all found, the select word chooses the sub-table', () => {
    const slots = new HashSlots(2);
    for (const reference of [7, 8, 9]) slots.insert(1, 5, reference);
    slots.insert(-1, 5, 10);
    expect(referencesOf(slots, 1, 5)).toEqual([7, 8, 9]);
    expect(referencesOf(slots, -1, 5)).toEqual([10]);
  });

  test('a wrong number of sub-tables, reference 0 and an unknown removal are refused', () => {
    expect(() => new HashSlots(1)).toThrow('power of two');
    expect(() => new HashSlots(48)).toThrow('power of two');
    const slots = new HashSlots(2);
    expect(() => slots.insert(0, 0, 0)).toThrow('references start at 1');
    expect(() => slots.remove(0, 0, 1)).toThrow('a removed reference is in its table');
  });
});
