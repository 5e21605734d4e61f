// KeyedHash: it depends on the seed and on every bit, keeps the borders of texts, and does not
// collide over a million ids.
import { describe, expect, test } from 'vitest';
import { KeyedHash } from '../../../core/tables/keyed-hash.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { sourceOf, sourceOfText } from '../../support/text-source.ts';

const SEED = Uint8Array.from({ length: 16 }, (_, place) => place * 17);

function hashTexts(texts: readonly string[], seed = SEED, domain = 1): string {
  const hash = new KeyedHash(seed);
  const words = new Int32Array(4);
  hash.begin();
  for (const text of texts) {
    const { view } = sourceOfText(text);
    hash.absorbText(domain, view, 0, view.byteLength);
  }
  hash.finish(words, 0);
  return words.join();
}

function bitsThatDiffer(one: Int32Array, other: Int32Array): number {
  let count = 0;
  for (const [word, value] of one.entries()) {
    for (let rest = value ^ other[word]; rest !== 0; rest &= rest - 1) count += 1;
  }
  return count;
}

describe('KeyedHash', () => {
  test('the same input gives the same words; each bit of the seed matters', () => {
    const first = hashTexts(['player']);
    expect(hashTexts(['player'])).toBe(first);
    const seen = new Set([first]);
    for (let bit = 0; bit < 128; bit += 1) {
      const seed = SEED.slice();
      seed[bit >> 3] ^= 1 << (bit & 7);
      seen.add(hashTexts(['player'], seed));
    }
    expect(seen.size).toBe(129);
  });

  test('the borders of texts and their domains are part of the hash', () => {
    const sequences = [
      ...[['ab', 'c'], ['a', 'bc'], ['abc'], ['abc', ''], ['', 'abc'], ['', '', 'abc']],
      ...[['a'], ['a\0'], ['a\0\0'], ['a\0\0\0'], ['a\0\0\0\0'], ['\0a'], [''], ['', ''], []],
      ...[
        ['abcd'],
        ['abcd', ''],
        ['abcde'],
        ['abcd', 'e'],
        ['x'.repeat(255)],
        ['x'.repeat(254), 'x'],
      ],
    ];
    expect(new Set(sequences.map((texts) => hashTexts(texts))).size).toBe(sequences.length);
    const domains = [0, 1, 2, 255, 256, 0xffffff];
    const inDomains = domains.map((domain) => hashTexts(['a'], SEED, domain));
    expect(new Set(inDomains).size).toBe(domains.length);
  });

  test('where a text lies in its source does not matter, nor what stands around it', () => {
    const random = new SeededRandom('KeyedHash');
    const bytes = random.bytes(64);
    for (let byteCount = 0; byteCount <= 64; byteCount += 1) {
      const words = [0, 1, 2, 3, 70].map((at) => {
        const around = random.bytes(160);
        around.set(bytes.subarray(0, byteCount), at);
        const hash = new KeyedHash(SEED);
        const found = new Int32Array(4);
        hash.begin();
        hash.absorbText(1, sourceOf(around).view, at, byteCount);
        hash.finish(found, 0);
        return found.join();
      });
      expect(new Set(words).size).toBe(1);
    }
  });

  test('a hash saved and loaded goes on as if it had not been', () => {
    const hash = new KeyedHash(SEED);
    const { view } = sourceOfText('playertransaction');
    const state = new Int32Array(6);
    hash.begin();
    hash.absorbText(1, view, 0, 6);
    hash.save(state, 2);
    const straight = new Int32Array(4);
    hash.absorbText(2, view, 6, 11);
    hash.finish(straight, 0);
    hash.begin();
    hash.load(state, 2);
    hash.absorbText(2, view, 6, 11);
    const resumed = new Int32Array(4);
    hash.finish(resumed, 0);
    expect(resumed).toEqual(straight);
  });

  test('a changed bit of the input changes about half the bits of the hash', () => {
    const random = new SeededRandom('KeyedHash');
    const hash = new KeyedHash(SEED);
    const [one, other, short, otherShort] = [4, 4, 2, 2].map((count) => new Int32Array(count));
    let changedBits = 0;
    let changedShortBits = 0;
    const tries = 20_000;
    for (let step = 0; step < tries; step += 1) {
      const bytes = random.bytes(1 + random.below(40));
      const { view } = sourceOf(bytes);
      const absorb = (finish: (target: KeyedHash) => void): void => {
        hash.begin();
        hash.absorbText(1, view, 0, bytes.length);
        finish(hash);
      };
      absorb((done) => done.finish(one, 0));
      absorb((done) => done.finishShort(short, 0));
      bytes[random.below(bytes.length)] ^= 1 << random.below(8);
      absorb((done) => done.finish(other, 0));
      absorb((done) => done.finishShort(otherShort, 0));
      const differing = bitsThatDiffer(one, other);
      // 128 fair bits are never that far from 64 (12 standard deviations).
      if (differing < 10 || differing > 118) expect.fail(`${differing} bits of ${[...bytes]}`);
      changedBits += differing;
      changedShortBits += bitsThatDiffer(short, otherShort);
    }
    expect(changedBits / tries).toBeGreaterThan(63);
    expect(changedBits / tries).toBeLessThan(65);
    expect(changedShortBits / tries).toBeGreaterThan(31.5);
    expect(changedShortBits / tries).toBeLessThan(32.5);
  });

  test('a million consecutive ids: no collision in either half, and even slots', () => {
    const count = 1_000_000;
    const hash = new KeyedHash(SEED);
    const words = new Int32Array(4);
    const { bytes, view } = sourceOfText('player-0000000');
    const halves = [new BigUint64Array(count), new BigUint64Array(count)];
    const slots = new Int32Array(1024);
    const asLong = new BigUint64Array(words.buffer);
    for (let id = 0; id < count; id += 1) {
      for (let digit = 13, rest = id; digit >= 7; digit -= 1, rest = Math.floor(rest / 10)) {
        bytes[digit] = 0x30 + (rest % 10);
      }
      hash.begin();
      hash.absorbText(1, view, 0, bytes.length);
      hash.finish(words, 0);
      halves[0][id] = asLong[0];
      halves[1][id] = asLong[1];
      slots[words[0] & 1023] += 1;
    }
    for (const half of halves) {
      half.sort();
      for (let id = 1; id < count; id += 1) {
        if (half[id] === half[id - 1]) expect.fail(`two ids have half a hash of ${half[id]}`);
      }
    }
    // 977 each on average, a standard deviation of 31; six of them on both sides.
    expect(Math.min(...slots)).toBeGreaterThan(977 - 190);
    expect(Math.max(...slots)).toBeLessThan(977 + 190);
  });

  test('a seed of another length is refused', () => {
    expect(() => new KeyedHash(new Uint8Array(15))).toThrow('16 bytes');
  });
});
