// Varints: every boundary of length and of 31, 32 and 53 bits, both signs, and what is refused.
import { describe, expect, test } from 'vitest';
import { VarintReader, writeSignedVarint, writeVarint } from '../../../core/records/varint.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const BYTES_MAX = 8;

/** Values around each power of two where a byte more, a sign or a limb begins, up to 2^53 − 1. */
function boundaries(): number[] {
  const powers = [0, 6, 13, 20, 27, 34, 41, 48, 7, 14, 21, 28, 35, 42, 49, 31, 32, 52, 53];
  const values = powers.flatMap((power) => [2 ** power - 1, 2 ** power, 2 ** power + 1]);
  return [...new Set([0, ...values])].filter((value) => value <= MAX);
}

/** The byte count of a number of so many bits at seven bits a byte, six in the first if signed. */
function byteCountOf(value: number, firstBits: number): number {
  let byteCount = 1;
  for (let bits = firstBits; value >= 2 ** bits; bits += 7) byteCount += 1;
  return byteCount;
}

function checkUnsigned(value: number): void {
  const bytes = new Uint8Array(20).fill(0xff);
  const end = writeVarint(bytes, 3, value);
  expect(end - 3, `${value}`).toBe(byteCountOf(value, 7));
  const reader = new VarintReader(bytes);
  reader.at = 3;
  expect(reader.unsigned()).toBe(value);
  expect(reader.at).toBe(end);
  expect(bytes[end]).toBe(0xff);
}

function checkSigned(value: number): void {
  const bytes = new Uint8Array(20).fill(0xff);
  const end = writeSignedVarint(bytes, 3, value);
  expect(end - 3, `${value}`).toBe(byteCountOf(Math.abs(value), 6));
  const reader = new VarintReader(bytes);
  reader.at = 3;
  expect(reader.signed() + 0).toBe(value + 0);
  expect(reader.at).toBe(end);
}

describe('varints', () => {
  test.each(boundaries())('%i is written in the fewest bytes and read back', (value) => {
    checkUnsigned(value);
    checkSigned(value);
    checkSigned(-value);
  });

  test('random numbers of all magnitudes are read back', () => {
    const random = new SeededRandom('varint');
    const bytes = new Uint8Array(BYTES_MAX * 2);
    const reader = new VarintReader(bytes);
    for (let step = 0; step < 100_000; step += 1) {
      const value = random.amountMinor();
      const signed = random.below(2) === 0 ? -value : value;
      const end = writeSignedVarint(bytes, writeVarint(bytes, 0, value), signed);
      reader.at = 0;
      if (reader.unsigned() !== value || reader.signed() + 0 !== signed + 0 || reader.at !== end) {
        expect.fail(`${value} and ${signed}`);
      }
    }
  });

  test('2^53 − 1 takes eight bytes, unsigned and signed', () => {
    expect(writeVarint(new Uint8Array(9), 0, MAX)).toBe(BYTES_MAX);
    expect(writeSignedVarint(new Uint8Array(9), 0, -MAX)).toBe(BYTES_MAX);
  });

  test('a number that is cut short is refused', () => {
    for (const value of boundaries()) {
      const bytes = new Uint8Array(BYTES_MAX);
      const end = writeVarint(bytes, 0, value);
      for (let byteCount = 0; byteCount < end; byteCount += 1) {
        const reader = new VarintReader(bytes.subarray(0, byteCount));
        expect(() => reader.unsigned()).toThrow('a record ends where its length says');
      }
    }
  });

  test('2^53, nine bytes, and a signed number beyond 2^53 − 1 are refused', () => {
    const beyond = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10);
    expect(() => new VarintReader(beyond).unsigned()).toThrow('at most 2^53 − 1');
    const nineBytes = new Uint8Array(9).fill(0x80);
    expect(() => new VarintReader(nineBytes).unsigned()).toThrow('at most 8 bytes');
    const signed = new Uint8Array(8).fill(0x80);
    signed[7] = 0x20;
    expect(() => new VarintReader(signed).signed()).toThrow('at most 2^53 − 1');
  });

  test('a number with needless bytes, as records’ lengths have, is read', () => {
    const reader = new VarintReader(Uint8Array.of(0x85, 0x00));
    expect([reader.unsigned(), reader.at]).toEqual([5, 2]);
  });
});
