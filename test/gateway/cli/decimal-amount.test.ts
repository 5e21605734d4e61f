// Amounts in decimal text, exactly: every digit, every bound, and what is no amount.
import { expect, test } from 'vitest';
import {
  type AmountReading,
  formatDecimalAmount,
  parseDecimalAmount,
} from '../../../persist/reconciliation/decimal-amount.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const amount = (amountMinor: bigint): AmountReading => ({ kind: 'amount', amountMinor });

test.each<[string, number, bigint]>([
  ['12.50', 2, 1_250n],
  ['12.5', 2, 1_250n],
  ['12', 2, 1_200n],
  ['12.', 2, 1_200n],
  ['.5', 2, 50n],
  ['0.29', 2, 29n],
  ['1.005', 3, 1_005n],
  ['1.50000', 2, 150n],
  ['+3.10', 2, 310n],
  ['-3.10', 2, -310n],
  ['-0', 2, 0n],
  ['007', 0, 7n],
  ['7.00', 0, 7n],
  ['0.000000000000000001', 18, 1n],
  ['90071992547409.91', 2, 9_007_199_254_740_991n],
  ['-9007199254740991', 0, -9_007_199_254_740_991n],
])('%s with exponent %i is %i minor units', (text, exponent, minor) => {
  expect(parseDecimalAmount(text, exponent)).toEqual(amount(minor));
});

test.each<[string, number]>([
  ['', 2],
  ['.', 2],
  ['-', 2],
  ['1,50', 2],
  ['1 000', 2],
  ['1e3', 2],
  ['0x10', 2],
  ['NaN', 2],
  ['12.345', 2],
  ['12.5', 0],
  ['1.2.3', 2],
  ['--1', 2],
  ['٣', 2],
  ['9007199254740992', 0],
  ['90071992547409.92', 2],
  ['9'.repeat(70), 0],
])('%s with exponent %i is no amount', (text, exponent) => {
  expect(parseDecimalAmount(text, exponent).kind).toBe('problem');
});

test('any amount comes back from its text, in any exponent', () => {
  const random = new SeededRandom('amounts come back from their text');
  for (let round = 0; round < 20_000; round += 1) {
    const exponent = random.below(19);
    const sign = random.below(2) === 0 ? 1n : -1n;
    const minor = BigInt(random.amountMinor()) * sign;
    const text = formatDecimalAmount(minor, exponent);
    expect(parseDecimalAmount(text, exponent), text).toEqual(amount(minor));
    const trimmed = text.includes('.') ? text.replace(/0+$/, '') : text;
    expect(parseDecimalAmount(trimmed, exponent), trimmed).toEqual(amount(minor));
  }
});
