// Following a log behind its writer: every durable block once and in order, over the borders of
// segments, and nothing that is not durable, not whole, or not of this log.
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chainSeedOf, logFolderOf, readIdentity } from '../../persist/data-folder.ts';
import { emptyLogEnd, type LogEnd } from '../../persist/log-chain.ts';
import { DamagedLogError } from '../../persist/log-errors.ts';
import { ForeignLogEndError, LogFollower } from '../../persist/log-follower.ts';
import { Segment } from '../../persist/segment.ts';
import { listSegments, segmentName } from '../../persist/segment-list.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import {
  blockKey,
  makeTemporaryFolder,
  openSegmentRaw,
  readLog,
  removeFolder,
  TestLog,
} from './test-log.ts';

const SEGMENT_BYTES_MAX = 400_000;
/** Two of them do not fit one segment. */
const LARGE = 250_000;

let folder = '';
let log: TestLog;
let followers: LogFollower[] = [];

beforeEach(() => {
  folder = makeTemporaryFolder();
  log = new TestLog({ folder, segmentBytesMax: SEGMENT_BYTES_MAX });
});

afterEach(() => {
  for (const follower of followers) follower.close();
  followers = [];
  log.close();
  removeFolder(folder);
});

function start(): LogEnd {
  return emptyLogEnd(chainSeedOf(readIdentity(folder)));
}

function follow(after: LogEnd = start()): LogFollower {
  const options = { logFolder: logFolderOf(folder), segmentBytesMax: SEGMENT_BYTES_MAX };
  const follower = new LogFollower({ ...options, after });
  followers.push(follower);
  return follower;
}

/** Numbers of the blocks that the follower gives out up to a durable position. */
function take(follower: LogFollower, durablePosition: number): number[] {
  const numbers: number[] = [];
  for (;;) {
    const block = follower.next(durablePosition);
    if (block === undefined) return numbers;
    numbers.push(block.header.blockNumber);
  }
}

describe('a follower', () => {
  test('gives out what the log has, as any reader reads it', () => {
    for (const bytes of [500, LARGE, 1, LARGE, 40_000, LARGE]) log.append(1, bytes);
    const follower = follow();
    const found = Array.from({ length: 6 }, () => {
      const block = follower.next(6);
      return block && [block.header.blockNumber, Uint8Array.from(block.content)];
    });
    const { blocks } = readLog(folder);
    expect(found).toEqual(blocks.map(({ blockNumber, content }) => [blockNumber, content]));
    expect(listSegments(logFolderOf(folder)).length).toBeGreaterThan(2);
  });

  test('goes on as the log grows, over the borders of segments', () => {
    const random = new SeededRandom('a follower goes on as the log grows');
    const follower = follow();
    const found: number[] = [];
    for (let position = 0; position < 60; ) {
      const count = 1 + random.below(3);
      for (let more = 0; more < count; more += 1) log.append(1, 1 + random.below(LARGE));
      position += count;
      found.push(...take(follower, position));
      expect(follower.position).toBe(position);
      expect(found.at(-1)).toBe(position);
    }
    expect(found).toEqual(found.map((_, place) => place + 1));
    expect(listSegments(logFolderOf(folder)).length).toBeGreaterThan(5);
  });

  test('stops at the durable position, though the log has more', () => {
    log.append(5);
    const follower = follow();
    expect(take(follower, 0)).toEqual([]);
    expect(take(follower, 3)).toEqual([1, 2, 3]);
    expect(take(follower, 3)).toEqual([]);
    expect(take(follower, 5)).toEqual([4, 5]);
  });

  test('goes on from any end that another follower had', () => {
    for (const bytes of [500, LARGE, LARGE, 500, LARGE]) log.append(1, bytes);
    for (let until = 0; until <= 5; until += 1) {
      const first = follow();
      const before = take(first, until);
      const { end } = first;
      first.close();
      expect(end.blockNumber).toBe(until);
      expect([...before, ...take(follow(end), 5)]).toEqual([1, 2, 3, 4, 5]);
    }
  });

  test('waits in front of an empty last segment until its first block is durable', () => {
    log.append(2, LARGE);
    const follower = follow();
    expect(take(follower, 2)).toEqual([1, 2]);
    const options = { logFolder: logFolderOf(folder), segmentBytesMax: SEGMENT_BYTES_MAX };
    log.close();
    Segment.create({ ...options, firstBlock: 3 }).close();
    expect(take(follower, 2)).toEqual([]);
    const { end } = follower;
    follower.close();
    expect(take(follow(end), 2)).toEqual([]);
    log = new TestLog({ folder, segmentBytesMax: SEGMENT_BYTES_MAX });
    log.append(1);
    expect(take(follow(end), 3)).toEqual([3]);
    expect(take(follower, 3)).toEqual([3]);
  });
});

describe('a follower refuses', () => {
  test('a block whose content changed', () => {
    log.append(4);
    log.close();
    const database = openSegmentRaw(folder, segmentName(1));
    const stored = Buffer.from(database.get(blockKey(3)) ?? []);
    stored[stored.byteLength - 1] ^= 1;
    database.putSync(blockKey(3), stored);
    void database.close();
    const follower = follow();
    expect(take(follower, 2)).toEqual([1, 2]);
    expect(() => follower.next(4)).toThrow(DamagedLogError);
    // It does not skip what it refused.
    expect(() => follower.next(4)).toThrow(/block 3 is damaged/);
    expect(follower.position).toBe(2);
  });

  test('a durable block that is missing at the end of a segment, or with its segment', () => {
    for (const bytes of [LARGE, LARGE, LARGE]) log.append(1, bytes);
    const follower = follow();
    expect(() => take(follower, 4)).toThrow(/expected block 4, which was durable/);
    log.close();
    renameSync(
      join(logFolderOf(folder), segmentName(2)),
      join(logFolderOf(folder), `${segmentName(2)}.next`),
    );
    expect(() => take(follow(), 3)).toThrow(/expected block 2, which was durable/);
  });

  test('an end that the log does not reach, and one of another log', () => {
    log.append(3);
    const first = follow();
    take(first, 3);
    const { end } = first;
    first.close();
    expect(() => follow({ ...end, blockNumber: 4 })).toThrow(ForeignLogEndError);
    expect(() => follow({ ...end, blockNumber: 4 })).toThrow(/from block 4 .*: no such block$/);
    const headerChecksum = end.headerChecksum ^ 1;
    expect(() => follow({ ...end, headerChecksum })).toThrow(ForeignLogEndError);
    expect(take(follow(end), 3)).toEqual([]);
  });

  test('an end of a log that lost all of its segments', () => {
    log.append(1);
    const first = follow();
    take(first, 1);
    const { end } = first;
    first.close();
    log.close();
    removeFolder(join(logFolderOf(folder), segmentName(1)));
    expect(() => follow(end)).toThrow(ForeignLogEndError);
  });

  test('the first block of another data folder', () => {
    log.append(1);
    const foreign = follow(emptyLogEnd(chainSeedOf(readIdentity(folder)) ^ 1));
    expect(() => foreign.next(1)).toThrow(DamagedLogError);
  });
});
