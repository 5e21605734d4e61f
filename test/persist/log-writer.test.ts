// The log writer with real files: round trips over rotation, restarts, group commit, what a crash
// leaves. Each test reads back with all of the reader's checks.
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BLOCK_CONTENT_BYTES_MAX } from '../../core/limits.ts';
import { logFolderOf } from '../../persist/data-folder.ts';
import { Segment } from '../../persist/segment.ts';
import { listSegments } from '../../persist/segment-list.ts';
import { readWriterCounters } from '../../persist/writer-counters.ts';
import { makeTemporaryFolder, readLog, removeFolder, TestLog } from './test-log.ts';

let folder = '';

beforeEach(() => {
  folder = makeTemporaryFolder();
});

afterEach(() => removeFolder(folder));

describe('log writer', () => {
  test('blocks of all sizes come back as they were, over several segments', () => {
    const log = new TestLog({ folder, segmentBytesMax: 300_000 });
    const sizes = [1, 100, 4_000, 4_096, 70_000, 250_000, BLOCK_CONTENT_BYTES_MAX, 5, 90_000];
    for (const bytes of sizes) {
      log.handOver({ bytes, records: 3 });
      log.commit();
    }
    log.close();
    const { blocks, end } = readLog(folder);
    expect(blocks.map((block) => block.content.byteLength)).toEqual(sizes);
    for (const [index, block] of blocks.entries()) {
      expect(block.blockNumber).toBe(index + 1);
      expect(block.firstSequence).toBe(index * 3 + 1);
      const expected = Uint8Array.from(block.content, (_, at) => (at * 31 + index * 3 * 7) & 0xff);
      expect(Buffer.compare(block.content, expected)).toBe(0);
    }
    expect(end.sequences).toEqual([27]);
    expect(listSegments(logFolderOf(folder)).length).toBeGreaterThan(3);
  });

  test('each restart goes on where the log ended, in the same segment while it has room', () => {
    for (let run = 0; run < 4; run++) {
      const log = new TestLog({ folder });
      expect(log.lanes[0]?.lastPosition).toBe(run * 5);
      log.append(5);
      expect(log.lanes[0]?.lastPosition).toBe(run * 5 + 5);
      log.close();
    }
    expect(readLog(folder).blocks.length).toBe(20);
    expect(listSegments(logFolderOf(folder))).toEqual([1]);
  });

  test('segments stay below their largest size, and a bigger commit gets one of its own', () => {
    const log = new TestLog({ folder, segmentBytesMax: 200_000 });
    log.append(40, 9_000);
    log.append(2, 500_000);
    log.append(200, 300);
    log.close();
    const sizes = listSegments(logFolderOf(folder)).map((firstBlock) => {
      const name = String(firstBlock).padStart(16, '0');
      return statSync(join(logFolderOf(folder), name, 'data.mdb')).size;
    });
    expect(sizes.filter((bytes) => bytes > 200_000 + 8 * 4_096).length).toBe(2);
    expect(readLog(folder).blocks.length).toBe(242);
  });

  test('blocks of several lanes are one commit, in one order, each lane with its positions', () => {
    const log = new TestLog({ folder, lanes: 3 });
    for (const lane of [2, 0, 2, 1]) log.handOver({ bytes: 50, lane, records: 4 });
    expect(log.commit()).toBe(4);
    log.handOver({ bytes: 50, lane: 1 });
    expect(log.commit()).toBe(1);
    expect(log.commit()).toBe(0);
    expect(log.lanes.map((lane) => lane.lastPosition)).toEqual([1, 5, 4]);
    expect(log.lanes[2]?.positionOf(1)).toBe(3);
    const measures = readWriterCounters(log.counters);
    log.close();
    expect(measures.commits).toBe(2);
    expect(measures.blocks).toBe(5);
    expect(measures.records).toBe(17);
    expect(measures.contentBytes).toBe(250);
    expect(measures.durablePosition).toBe(5);
    expect(measures.commitMsBuckets.reduce((sum, count) => sum + count)).toBe(2);
    expect(measures.blockRecordsBuckets.slice(0, 2)).toEqual([1, 4]);
    const { blocks, end } = readLog(folder);
    expect(blocks.map((block) => block.lane)).toEqual([0, 1, 2, 2, 1]);
    expect(end.sequences).toEqual([4, 5, 8]);
  });

  test('a block’s time is never less than the last block’s', () => {
    const log = new TestLog({ folder });
    for (const timeMs of [1_000, 3_000, 2_000, 2_999, 3_001]) {
      log.handOver({ bytes: 10, timeMs });
      log.commit();
    }
    log.close();
    const times = readLog(folder).blocks.map((block) => block.timeMs);
    expect(times).toEqual([1_000, 3_000, 3_000, 3_000, 3_001]);
  });

  test('a gap in a shard’s sequence never reaches the disk', () => {
    const log = new TestLog({ folder });
    log.append(1);
    const content = log.lanes[0]?.open();
    if (content) Object.assign(content, { usedBytes: 1, recordCount: 1, firstSequence: 9 });
    log.lanes[0]?.handOver();
    expect(() => log.commit()).toThrow(/sequence has no gap/);
    expect(() => log.commit()).toThrow(/nothing is written after a failed commit/);
    expect(log.lanes[0]?.durableCount).toBe(1);
    log.close();
    expect(readLog(folder).blocks.length).toBe(1);
  });

  test('an empty last segment with the right name is used, a half-made one is removed', () => {
    const log = new TestLog({ folder });
    log.append(3);
    log.close();
    const logFolder = logFolderOf(folder);
    Segment.create({ logFolder, firstBlock: 4, segmentBytesMax: 1_048_576 }).close();
    mkdirSync(join(logFolder, '0000000000000009.next'));
    expect(readLog(folder).end.lastSegment).toBe(4);
    const next = new TestLog({ folder });
    next.append(2);
    next.close();
    expect(readdirSync(logFolder).sort()).toEqual(['0000000000000001', '0000000000000004']);
    expect(readLog(folder).blocks.length).toBe(5);
  });

  test('everything in the log is for its owner only', () => {
    const log = new TestLog({ folder });
    log.append(1);
    log.close();
    const modeOf = (path: string) => (statSync(join(folder, path)).mode & 0o777).toString(8);
    expect(modeOf('log')).toBe('700');
    expect(modeOf('identity.json')).toBe('600');
    expect(modeOf('log/0000000000000001')).toBe('700');
    expect(modeOf('log/0000000000000001/data.mdb')).toBe('600');
    expect(modeOf('log/0000000000000001/lock.mdb')).toBe('600');
  });

  test('bytes on disk are counted over all segments and over a restart', () => {
    const log = new TestLog({ folder, segmentBytesMax: 100_000 });
    log.append(20, 20_000);
    const counted = readWriterCounters(log.counters);
    log.close();
    const { end } = readLog(folder);
    expect(counted.segmentsMade).toBe(listSegments(logFolderOf(folder)).length);
    expect(Math.abs(counted.logBytes - end.logBytes)).toBeLessThan(100_000);
    const next = new TestLog({ folder, segmentBytesMax: 100_000 });
    expect(readWriterCounters(next.counters).logBytes).toBe(end.logBytes);
    next.close();
  });
});
