// The small exact parts of the reporter: sums beyond 2^53, numbers of texts, tiers of snapshots.
// How rows arrive in Postgres is copy-format.pg.test.ts.
import { expect, test } from 'vitest';
import { minuteOf, tierBetween } from '../../../persist/reporting/snapshot.ts';
import { TextNumbers } from '../../../persist/reporting/text-numbers.ts';
import { WideSum } from '../../../persist/reporting/wide-sum.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const LARGEST = Number.MAX_SAFE_INTEGER;

test('a wide sum is exact whatever is added, at each step', () => {
  const random = new SeededRandom('a wide sum is exact');
  const sum = new WideSum();
  let expected = 0n;
  for (let count = 0; count < 20_000; count += 1) {
    const amount = random.below(20) === 0 ? LARGEST : random.amountMinor();
    // Long runs of one sign, so that the sum goes far beyond 2^53 on both sides.
    const signed = Math.floor(count / 3_000) % 2 === 0 ? amount : -amount;
    sum.add(signed);
    expected += BigInt(signed);
    if (random.below(100) === 0) {
      const wide = BigInt(random.amountMinor()) * 10n ** 22n;
      sum.addWide(wide);
      expected += wide;
    }
    if (sum.value !== expected) expect(sum.value).toBe(expected);
  }
});

test.each([
  [[LARGEST, 1]],
  [[LARGEST, 1, -1, -LARGEST]],
  [[-LARGEST, -1, -LARGEST]],
  [[LARGEST, LARGEST, LARGEST, -LARGEST]],
])('a wide sum of %j passes the bound and comes back', (amounts) => {
  const sum = new WideSum();
  for (const amount of amounts) sum.add(amount);
  expect(sum.value).toBe(amounts.reduce((total, amount) => total + BigInt(amount), 0n));
});

test('texts are numbered as they come, however many share a place in the cache', () => {
  const random = new SeededRandom('texts are numbered as they come');
  const numbers = new TextNumbers();
  const expected = new Map<string, number>();
  for (let count = 0; count < 60_000; count += 1) {
    const text = `gäme ${random.below(12_000)}`;
    if (!expected.has(text)) expected.set(text, expected.size + 1);
    const bytes = Buffer.from(`before${text}behind`);
    const number = numbers.numberOf(bytes, 6, Buffer.byteLength(text));
    if (number !== expected.get(text)) expect([text, number]).toEqual([text, expected.get(text)]);
  }
  expect(numbers.takeFresh()).toEqual([...expected].map(([text, number]) => [number, text]));
  expect(numbers.takeFresh()).toEqual([]);
});

test('texts that were loaded keep their numbers, new ones go on behind them, none is 0', () => {
  const numbers = new TextNumbers();
  numbers.load(2, 'second');
  numbers.load(1, 'first');
  expect(['first', 'second', 'third'].map((text) => numbers.numberOfText(text))).toEqual([1, 2, 3]);
  expect(numbers.numberOf(Buffer.from('second'), 0, 6)).toBe(2);
  expect(numbers.numberOf(Buffer.from('second'), 0, 0)).toBe(0);
  expect(numbers.takeFresh()).toEqual([[3, 'third']]);
});

test.each([
  ['2023-11-14T22:13:20.000Z', '2023-11-14T22:13:59.999Z', 0],
  ['2023-11-14T22:13:59.999Z', '2023-11-14T22:14:00.000Z', 1],
  ['2023-11-14T22:59:59.999Z', '2023-11-14T23:00:00.000Z', 2],
  ['2023-11-14T23:59:59.999Z', '2023-11-15T00:00:00.000Z', 3],
  ['2023-11-14T22:13:20.000Z', '2023-12-14T22:13:20.000Z', 3],
] as const)('between %s and %s a snapshot of tier %i ends', (before, after, tier) => {
  expect(tierBetween(Date.parse(before), Date.parse(after))).toBe(tier);
});

test('a minute begins at its first millisecond', () => {
  const minuteMs = Date.parse('2023-11-14T22:13:00.000Z');
  expect([0, 1, 59_999, 60_000].map((ms) => minuteOf(minuteMs + ms) - minuteMs)).toEqual([
    0, 0, 0, 60_000,
  ]);
});
