// HashSlots against a Map of sets, and what it does under growth, removal and bad luck.
import { describe, expect, test } from 'vitest';
import { HashSlots } from '../../../core/tables/hash-slots.ts';
import type { GrowingMemory } from '../../../core/tables/table-memory.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

/** All references under a tag, in no order. */
function referencesOf(slots: HashSlots, tag: number): number[] {
  const found: number[] = [];
  for (let one = slots.find(tag); one !== 0; one = slots.findNext()) found.push(one);
  return found.toSorted((a, b) => a - b);
}

describe('HashSlots agrees with a Map', () => {
  test('over random insertions, removals and lookups, also while it grows', () => {
    const random = new SeededRandom('HashSlots');
    const slots = new HashSlots();
    const expected = new Map<number, Set<number>>();
    const tags: number[] = [];
    let entryCount = 0;
    let growingSteps = 0;
    for (let step = 1; step <= 60_000; step += 1) {
      // A tenth of the tags share few homes at the table's end: clusters that wrap, shared tags.
      const again = random.below(4) === 0 && tags.length > 0;
      const fresh =
        random.below(10) === 0 ? (random.below(40) << 20) - 4 + random.below(8) : random.word();
      const tag = again ? tags[random.below(tags.length)] : fresh;
      const references = expected.get(tag) ?? new Set();
      expected.set(tag, references);
      tags.push(tag);
      if (references.size > 0 && random.below(5) < 2) {
        const [reference] = references;
        references.delete(reference);
        slots.remove(tag, reference);
        entryCount -= 1;
      } else {
        references.add(step);
        slots.insert(tag, step);
        entryCount += 1;
      }
      if (slots.isGrowing) growingSteps += 1;
      const found = new Set(referencesOf(slots, tag));
      if (found.symmetricDifference(references).size > 0) expect.fail(`step ${step}, tag ${tag}`);
      if (slots.entryCount !== entryCount) expect.fail(`${slots.entryCount} entries`);
    }
    for (const [tag, references] of expected) {
      const found = new Set(referencesOf(slots, tag));
      if (found.symmetricDifference(references).size > 0) expect.fail(`tag ${tag}`);
    }
    expect(growingSteps).toBeGreaterThan(1000);
  });

  test('after all is removed nothing is found and nothing is left behind', () => {
    const random = new SeededRandom('HashSlots');
    const slots = new HashSlots();
    const entries = Array.from({ length: 5000 }, (_, place) => {
      return { tag: random.below(9000), reference: place + 1 };
    });
    for (const { tag, reference } of entries) slots.insert(tag, reference);
    for (const [place, { tag, reference }] of entries.entries()) {
      slots.remove(tag, reference);
      const next = entries[place + 1];
      if (next === undefined) break;
      if (!referencesOf(slots, next.tag).includes(next.reference)) expect.fail('lost one');
    }
    expect(slots.entryCount).toBe(0);
    for (const { tag } of entries) expect(slots.find(tag)).toBe(0);
  });
});

describe('HashSlots and its edges', () => {
  test('growth doubles the table, keeps every entry and ends soon', () => {
    const random = new SeededRandom('HashSlots');
    const slots = new HashSlots();
    const first = slots.byteCount;
    const tags: number[] = [];
    while (!slots.isGrowing) {
      tags.push(random.word());
      slots.insert(tags[tags.length - 1], tags.length);
    }
    expect(slots.byteCount).toBe(first * 2);
    let insertions = 0;
    while (slots.isGrowing) {
      tags.push(random.word());
      slots.insert(tags[tags.length - 1], tags.length);
      insertions += 1;
      for (const [place, tag] of tags.entries()) {
        if (!referencesOf(slots, tag).includes(place + 1)) expect.fail(`lost ${place + 1}`);
      }
    }
    expect(slots.byteCount).toBe(first * 2);
    expect(insertions).toBe(1024 / 64);
    slots.remove(tags[0], 1);
    expect(referencesOf(slots, tags[0])).not.toContain(1);
  });

  test('what is removed while the table grows stays removed, split or not', () => {
    const slots = new HashSlots();
    let count = 0;
    while (!slots.isGrowing) {
      count += 1;
      slots.insert(count, count);
    }
    slots.insert(2000, 2000);
    // The first groups are split by now, the last ones are not.
    for (const removed of [1, 2, 3, count - 2, count - 1, count]) slots.remove(removed, removed);
    while (slots.isGrowing) {
      count += 1;
      slots.insert(10_000 + count, count);
    }
    expect([1, 2, 3].map((tag) => slots.find(tag))).toEqual([0, 0, 0]);
    expect(slots.find(4)).toBe(4);
  });

  test('a gap is closed across the end of the table', () => {
    const slots = new HashSlots();
    // Homes 1022, 1022, 1023, 1022 of 1024 slots: the cluster wraps to 0 and 1.
    const tags = [1022, 2046, 1023, 3070];
    for (const [place, tag] of tags.entries()) slots.insert(tag, place + 1);
    slots.remove(1022, 1);
    expect(tags.map((tag) => slots.find(tag))).toEqual([0, 2, 3, 4]);
    slots.remove(2046, 2);
    expect(tags.map((tag) => slots.find(tag))).toEqual([0, 0, 3, 4]);
    slots.remove(1023, 3);
    expect(tags.map((tag) => slots.find(tag))).toEqual([0, 0, 0, 4]);
  });

  test('tags that share their home make the table grow before it is full', () => {
    const slots = new HashSlots();
    for (let place = 0; place < 400; place += 1) slots.insert(place << 12, place + 1);
    expect(slots.byteCount).toBeGreaterThan(1024 * 8);
    for (let place = 0; place < 400; place += 1) {
      expect(slots.find(place << 12)).toBe(place + 1);
    }
  });

  test('references under one tag are all found, another tag stands apart', () => {
    const slots = new HashSlots();
    for (const reference of [7, 8, 9]) slots.insert(5, reference);
    slots.insert(5 + 1024, 10);
    expect(referencesOf(slots, 5)).toEqual([7, 8, 9]);
    expect(referencesOf(slots, 5 + 1024)).toEqual([10]);
  });

  test('removals beside full groups lose nothing', () => {
    const random = new SeededRandom('HashSlots');
    const slots = new HashSlots();
    // Homes in the last two groups: probes run over several groups and round the table's end.
    const entries = Array.from({ length: 60 }, (_, place) => {
      return { tag: 1_008 + random.below(16) + 1_024 * random.below(50), reference: place + 1 };
    });
    for (const { tag, reference } of entries) slots.insert(tag, reference);
    while (entries.length > 0) {
      const [{ tag, reference }] = entries.splice(random.below(entries.length), 1);
      slots.remove(tag, reference);
      expect(referencesOf(slots, tag)).not.toContain(reference);
      for (const other of entries) {
        expect(referencesOf(slots, other.tag)).toContain(other.reference);
      }
    }
    expect(slots.entryCount).toBe(0);
  });

  test('growing that is ended at once keeps every entry, also of a cluster round the end', () => {
    const random = new SeededRandom('HashSlots');
    const slots = new HashSlots();
    const tags: number[] = [];
    while (tags.length < 20_000) {
      // The last homes of tables of all sizes, too: what comes past them stands at the beginning.
      tags.push(random.below(20) === 0 ? -1 - random.below(2_000) : random.word());
      slots.insert(tags[tags.length - 1], tags.length);
      if (slots.isGrowing && random.below(3) === 0) slots.finishGrowing();
      if (random.below(100) > 0) continue;
      for (const [place, tag] of tags.entries()) {
        if (!referencesOf(slots, tag).includes(place + 1)) expect.fail(`lost ${place + 1}`);
      }
    }
    slots.finishGrowing();
    expect(slots.isGrowing).toBe(false);
  });

  test('the memory of the next size is there before it is needed', () => {
    const asked: number[] = [];
    const memory = new SharedArrayBuffer(0, { maxByteLength: 2 ** 20 });
    const byteCountMax = memory.maxByteLength;
    const slots = new HashSlots({
      byteCountMax,
      grow: (byteCount) => {
        asked.push(byteCount);
        memory.grow(Math.max(byteCount, memory.byteLength));
        return memory;
      },
    } satisfies GrowingMemory);
    const [first] = asked;
    for (let reference = 1; reference <= 600; reference += 1) slots.insert(reference, reference);
    expect(asked).toEqual([first]);
    for (let reference = 601; reference <= 700; reference += 1) slots.insert(reference, reference);
    expect(asked).toEqual([first, first * 2]);
    expect(slots.isGrowing).toBe(false);
  });
});

describe('HashSlots and a kernel that puts in entries by itself', () => {
  test('room is made for as many as are told, and nothing is growing then', () => {
    const random = new SeededRandom('HashSlots');
    const slots = new HashSlots();
    let count = 0;
    while (!slots.isGrowing) {
      count += 1;
      slots.insert(random.word(), count);
    }
    const mask = slots.makeRoom(10_000);
    expect(slots.isGrowing).toBe(false);
    expect(mask + 1).toBe(16_384 * 8);
    slots.noteEntered(10_000, 0);
    expect(slots.entryCount).toBe(count + 10_000);
  });

  test('a probe that passed many groups is told, and makes the table grow', () => {
    const slots = new HashSlots();
    slots.insert(1, 1);
    slots.makeRoom(2);
    slots.noteEntered(1, 5);
    expect([slots.isGrowing, slots.probeLengthMax]).toEqual([false, 40]);
    slots.noteEntered(1, 33);
    expect([slots.isGrowing, slots.probeLengthMax]).toEqual([true, 264]);
    slots.finishGrowing();
    expect(slots.find(1)).toBe(1);
  });

  test('what is expected is grown to in one step, once a part of it is there', () => {
    const slots = new HashSlots();
    slots.expect(100_000);
    const { byteCount } = slots;
    expect(byteCount).toBe(2 ** 18 * 8);
    const sizes = new Set<number>();
    for (let reference = 1; reference <= 100_000; reference += 1) {
      slots.insert(Math.imul(reference, 0x9e3779b1), reference);
      if (reference % 100 === 0) sizes.add(slots.makeRoom(1) + 1);
    }
    expect([...sizes].map((bytes) => bytes / 8)).toEqual([...STEPS_TO_EXPECTED, 2 ** 18]);
    expect(slots.byteCount).toBe(byteCount);
    for (let reference = 1; reference <= 100_000; reference += 1) {
      expect(slots.find(Math.imul(reference, 0x9e3779b1))).toBe(reference);
    }
  });

  test('less than there is is not expected', () => {
    const slots = new HashSlots();
    const { byteCount } = slots;
    slots.expect(0);
    slots.expect(700);
    expect(slots.byteCount).toBe(byteCount);
  });
});

/** Sizes on the way to 2^18 slots: doubled up to a thirty-second part of it. */
const STEPS_TO_EXPECTED: readonly number[] = [2 ** 10, 2 ** 11, 2 ** 12, 2 ** 13];

describe('HashSlots and what it refuses', () => {
  test('reference 0 and an unknown removal are refused', () => {
    const slots = new HashSlots();
    expect(() => slots.insert(0, 0)).toThrow('references start at 1');
    expect(() => slots.remove(0, 1)).toThrow('a removed reference is in its table');
  });
});
