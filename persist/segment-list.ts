// Which segments a log folder holds, by the names alone. Any thread; reads the folder, changes
// nothing. Leftovers of a crash (`<name>.next`) are no segments; anything else is refused.
import { readdirSync } from 'node:fs';
import { assert } from '../core/assert.ts';
import { UNFINISHED_SUFFIX } from './durable-files.ts';
import { DamagedLogError } from './log-errors.ts';

const NAME_DIGITS = 16;
const NAME_PATTERN = /^\d{16}$/;

/**
 * A segment's folder name: its first block's number in 16 digits, so that names sort as numbers.
 */
export function segmentName(firstBlock: number): string {
  assert(Number.isSafeInteger(firstBlock) && firstBlock > 0, 'blocks are numbered from 1');
  return String(firstBlock).padStart(NAME_DIGITS, '0');
}

/** First block numbers of the segments, ascending, as their names say. */
export function listSegments(logFolder: string): number[] {
  const names = readdirSync(logFolder).filter((name) => !name.endsWith(UNFINISHED_SUFFIX));
  for (const name of names) {
    if (NAME_PATTERN.test(name) && Number.isSafeInteger(Number(name)) && Number(name) > 0) continue;
    throw new DamagedLogError({
      segment: name,
      block: 0,
      expected: 'only folders named by a first block in 16 digits',
      found: `'${name}' in the log`,
    });
  }
  return names.map(Number).sort((left, right) => left - right);
}
