// Memory whose pages another thread makes: it comes as zeros, its pages appear without a write of
// the lane, and what the lane writes meanwhile stays.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { warmedMemory } from '../../../gateway/lane/warmed-memory.ts';

const MIB = 1_048_576;
const PIECE_BYTES = 64 * MIB;

function residentBytes(): number {
  const line = /^Rss:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'));
  return Number(line?.[1]) * 1_024;
}

test('pages of what is added are made by another thread, and writes beside it stay', async () => {
  const memory = warmedMemory().take(2 * PIECE_BYTES);
  const before = residentBytes();
  const first = memory.grow(PIECE_BYTES / 2);
  const whole = memory.grow(PIECE_BYTES);
  expect(whole).toBe(first);
  const words = new Int32Array(whole);
  // Every 1,024th word is the one that the other thread exchanges.
  for (let at = 0; at < words.length; at += 64 * 1_024) words[at] = at + 1;
  await expect
    .poll(() => residentBytes() - before, { timeout: 20_000 })
    .toBeGreaterThan(PIECE_BYTES * 0.9);
  let wrong = 0;
  for (let at = 0; at < words.length; at += 1) {
    if (words[at] !== (at % (64 * 1_024) === 0 ? at + 1 : 0)) wrong += 1;
  }
  expect(wrong).toBe(0);
});

test('address space that is not to be had is told with what to do', () => {
  expect(() => warmedMemory().take(2 ** 52)).toThrow(/address space.*ulimit -v unlimited/);
});
