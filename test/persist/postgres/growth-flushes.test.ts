// Files of a database that grow are written while they do. What was not written yet when a file is
// cut short is never written, which the kernel counts for the process that cuts it.
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { GrowthFlushes } from '../../../persist/postgres/growth-flushes.ts';
import { makeTemporaryFolder, removeFolder } from '../test-log.ts';

const PIECE_BYTES = 2 ** 22;
/** All files are looked at once, and then the growing ones several times. */
const TWO_LOOKS_MS = 6_500;
const COUNTS = '/proc/self/io';

let folder = '';
let flushes: GrowthFlushes | undefined;

beforeEach(() => {
  folder = makeTemporaryFolder();
});

afterEach(() => {
  flushes?.stop();
  removeFolder(folder);
});

function fileIn(database: string, name: string): string {
  const path = join(folder, 'base', database, name);
  mkdirSync(join(path, '..'), { recursive: true });
  return path;
}

function grow(path: string): void {
  appendFileSync(path, Buffer.alloc(PIECE_BYTES));
}

/** Cuts the file short; returns how many bytes of it had not been written. */
function unwrittenBytes(path: string): number {
  const before = cancelledBytes();
  truncateSync(path);
  return cancelledBytes() - before;
}

function cancelledBytes(): number {
  return Number(/^cancelled_write_bytes: (\d+)$/m.exec(readFileSync(COUNTS, 'utf8'))?.[1]);
}

function countsUnwritten(): boolean {
  if (!existsSync(COUNTS)) return false;
  folder = makeTemporaryFolder();
  const path = fileIn('1', 'probe');
  grow(path);
  const isCounted = unwrittenBytes(path) === PIECE_BYTES;
  removeFolder(folder);
  return isCounted;
}

test.skipIf(!countsUnwritten())(
  'what the files of databases grow by is written, also after one of them went',
  async () => {
    const gone = fileIn('16600', 'gone');
    const growing = fileIn('16384', 'growing');
    for (const path of [gone, growing]) grow(path);
    flushes = new GrowthFlushes(folder);
    removeFolder(join(gone, '..'));
    // What was there before waits for the kernel: it is cut off here.
    truncateSync(growing);
    const made = fileIn('16500', 'made');
    grow(made);
    await sleep(TWO_LOOKS_MS);
    for (const path of [growing, made]) grow(path);
    await sleep(TWO_LOOKS_MS);
    expect(unwrittenBytes(growing)).toBe(0);
    expect(unwrittenBytes(made)).toBe(0);
  },
  20_000,
);
