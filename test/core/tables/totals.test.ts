// WideTotals and SystemAccounts against BigInt, up to and beyond 2^53.
import { describe, expect, test } from 'vitest';
import { SystemAccount, SystemAccounts } from '../../../core/tables/system-accounts.ts';
import { WideTotals } from '../../../core/tables/wide-total.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const MAX = Number.MAX_SAFE_INTEGER;

describe('WideTotals', () => {
  test.each([0, 1, -1, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), -(2 ** 32) - 1, MAX, -MAX])(
    'holds %i exactly, and gives it back to 0',
    (amountMinor) => {
      const totals = new WideTotals();
      totals.add(0, amountMinor);
      expect(totals.total(0)).toBe(BigInt(amountMinor));
      totals.add(0, -amountMinor);
      expect(totals.total(0)).toBe(0n);
    },
  );

  test('random amounts of both signs add up as BigInt does, far beyond 2^53', () => {
    const random = new SeededRandom('WideTotals');
    const totals = new WideTotals();
    const expected = [0n, 0n, 0n];
    for (let step = 0; step < 100_000; step += 1) {
      const row = random.below(3);
      // Row 0 only grows, row 1 only falls, row 2 does both.
      const isNegative = row === 1 || (row === 2 && random.below(2) === 0);
      const magnitude = random.below(2) === 0 ? MAX - random.below(1000) : random.amountMinor();
      const amountMinor = isNegative ? -magnitude : magnitude;
      totals.add(row, amountMinor);
      expected[row] += BigInt(amountMinor);
    }
    expect([0, 1, 2].map((row) => totals.total(row))).toEqual(expected);
    expect(expected[0]).toBeGreaterThan(2n ** 60n);
  });

  test('rows beyond the first memory keep the ones before', () => {
    const totals = new WideTotals();
    totals.add(3, MAX);
    totals.add(10_000, -5);
    expect([totals.total(3), totals.total(10_000), totals.total(99_999)]).toEqual([
      BigInt(MAX),
      -5n,
      0n,
    ]);
  });

  test('what is not whole, or beyond 2^53 − 1, is refused', () => {
    const totals = new WideTotals();
    for (const amountMinor of [0.5, MAX + 1, -MAX - 1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => totals.add(0, amountMinor)).toThrow('money is whole');
    }
  });
});

describe('SystemAccounts', () => {
  test('each owner and account has a total of its own, and the sum is over the five', () => {
    const system = new SystemAccounts();
    const owners = [256, 257, 511, 512, 4096 * 256 + 255];
    const accounts = Object.values(SystemAccount);
    for (const [place, owner] of owners.entries()) {
      for (const account of accounts) system.add(owner, account, (place + 1) * 10 ** account);
    }
    for (const [place, owner] of owners.entries()) {
      for (const account of accounts) {
        expect(system.total(owner, account)).toBe(BigInt((place + 1) * 10 ** account));
      }
      expect(system.sum(owner)).toBe(BigInt((place + 1) * 11111));
    }
    expect(system.sum(258)).toBe(0n);
  });

  test('they may be negative and pass 2^53', () => {
    const system = new SystemAccounts();
    for (let times = 0; times < 5; times += 1) system.add(256, SystemAccount.house, -MAX);
    expect(system.total(256, SystemAccount.house)).toBe(BigInt(-MAX) * 5n);
    expect(system.sum(256)).toBe(BigInt(-MAX) * 5n);
  });
});
