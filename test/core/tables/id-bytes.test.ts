// IdBytes: texts of every length, across the borders of chunks, and equality byte by byte.
import { expect, test } from 'vitest';
import { IdBytes } from '../../../core/tables/id-bytes.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { sourceOf, sourceOfText } from '../../support/text-source.ts';

/** Bytes of a chunk, by the memory that a first text takes. */
const CHUNK_BYTES = chunkBytesOf();

function chunkBytesOf(): number {
  const ids = new IdBytes();
  ids.append(sourceOfText('a'), 0, 1);
  return ids.byteCount;
}

test('ids of 1 to 64 bytes equal themselves and no text with another byte or length', () => {
  const ids = new IdBytes();
  for (let byteCount = 1; byteCount <= 64; byteCount += 1) {
    const bytes = new Uint8Array(byteCount).fill(0x61);
    const place = ids.append(sourceOf(bytes), 0, byteCount);
    expect(ids.textBytes(place)).toBe(byteCount);
    expect(ids.equals(place, sourceOf(bytes), 0, byteCount)).toBe(true);
    for (let changed = 0; changed < byteCount; changed += 1) {
      const other = bytes.slice();
      other[changed] ^= 0x80;
      expect(ids.equals(place, sourceOf(other), 0, byteCount)).toBe(false);
    }
    const longer = sourceOf(new Uint8Array(byteCount + 1).fill(0x61));
    expect(ids.equals(place, longer, 0, byteCount + 1)).toBe(false);
    expect(ids.equals(place, longer, 0, byteCount - 1)).toBe(false);
    expect(ids.equals(place, longer, 1, byteCount)).toBe(true);
  }
});

test('a text is a copy: the source may change afterwards', () => {
  const ids = new IdBytes();
  const source = sourceOfText('player-1');
  const place = ids.append(source, 0, 8);
  source.bytes.fill(0);
  expect(ids.equals(place, sourceOfText('player-1'), 0, 8)).toBe(true);
});

test('no text spans two chunks, and texts on both sides of each border are kept', () => {
  const random = new SeededRandom('IdBytes');
  const ids = new IdBytes();
  const stored: { place: number; bytes: Uint8Array }[] = [];
  while (ids.byteCount < CHUNK_BYTES * 3) {
    const bytes = random.bytes(1 + random.below(255));
    const place = ids.append(sourceOf(bytes), 0, bytes.length);
    stored.push({ place, bytes });
  }
  for (const { place, bytes } of stored) {
    const source = ids.source(place);
    const at = ids.textAt(place);
    expect(at + bytes.length).toBeLessThanOrEqual(CHUNK_BYTES);
    if (Buffer.compare(source.bytes.subarray(at, at + bytes.length), bytes) !== 0) {
      expect.fail(`the text at ${place} has changed`);
    }
  }
});

test('a text that just fits a chunk stays in it, one byte more opens the next', () => {
  for (const [last, chunks] of [
    [15, 1],
    [16, 2],
  ]) {
    const ids = new IdBytes();
    // Texts of 256 bytes with their lengths, then one of 240: 16 bytes are left.
    for (let text = 1; text < CHUNK_BYTES / 256; text += 1)
      ids.append(sourceOf(new Uint8Array(255)), 0, 255);
    ids.append(sourceOf(new Uint8Array(239)), 0, 239);
    const place = ids.append(sourceOf(new Uint8Array(last).fill(7)), 0, last);
    expect(ids.byteCount).toBe(CHUNK_BYTES * chunks);
    expect(ids.equals(place, sourceOf(new Uint8Array(last).fill(7)), 0, last)).toBe(true);
  }
});

test('an empty text and one of 256 bytes are refused', () => {
  const ids = new IdBytes();
  const source = sourceOf(new Uint8Array(256));
  expect(() => ids.append(source, 0, 0)).toThrow('1 to 255 bytes');
  expect(() => ids.append(source, 0, 256)).toThrow('1 to 255 bytes');
});
