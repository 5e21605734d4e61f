// The number of blocks that a recovery is told to expect.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { countBlocks } from '../../persist/block-count.ts';
import { openDataFolder } from '../../persist/data-folder.ts';
import { makeTemporaryFolder, readLog, removeFolder, TestLog } from './test-log.ts';

let folder = '';

beforeEach(() => {
  folder = makeTemporaryFolder();
});

afterEach(() => removeFolder(folder));

test('an empty log has none', () => {
  openDataFolder(folder, 1);
  expect(countBlocks(folder)).toBe(0);
});

test.each([1, 3, 40])('%d blocks are counted without reading them, over segments', (blockCount) => {
  const log = new TestLog({ folder, segmentBytesMax: 300_000 });
  log.append(blockCount, 20_000);
  log.close();
  expect(countBlocks(folder)).toBe(blockCount);
  expect(readLog(folder).end.blockNumber).toBe(blockCount);
});
