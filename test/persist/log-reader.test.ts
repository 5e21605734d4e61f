// Each kind of damage to a log and the message it stops the start with. The damage is done through
// lmdb itself, so that only the reader's own checks can find it.
import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { logFolderOf } from '../../persist/data-folder.ts';
import { DamagedLogError, UnknownVersionError } from '../../persist/log-errors.ts';
import { listSegments, segmentName } from '../../persist/segment-list.ts';
import {
  blockKey,
  makeTemporaryFolder,
  openSegmentRaw,
  readLog,
  removeFolder,
  TestLog,
} from './test-log.ts';

const FIRST_SEGMENT = segmentName(1);
const HEADER_CHECKSUM_AT = 52;

let folder = '';

beforeEach(() => {
  folder = makeTemporaryFolder();
  const log = new TestLog({ folder });
  log.append(10, 3_000);
  log.close();
});

afterEach(() => removeFolder(folder));

/** Changes stored blocks behind the log's back. */
function rewrite(change: (get: (block: number) => Buffer) => Map<number, Buffer | null>): void {
  const database = openSegmentRaw(folder, FIRST_SEGMENT);
  const get = (block: number): Buffer => {
    const stored = database.get(blockKey(block));
    if (stored === undefined) throw new Error(`the test expects block ${block}`);
    return Buffer.from(stored);
  };
  for (const [block, stored] of change(get)) {
    if (stored === null) database.removeSync(blockKey(block));
    else database.putSync(blockKey(block), stored);
  }
  void database.close();
}

/** Makes the header's checksum right again. */
function seal(stored: Buffer): Buffer {
  stored.writeUInt32LE(crc32(stored.subarray(0, HEADER_CHECKSUM_AT)), HEADER_CHECKSUM_AT);
  return stored;
}

function edit(block: number, change: (stored: Buffer) => Buffer): void {
  rewrite((get) => new Map([[block, change(get(block))]]));
}

function readError(): Error {
  try {
    readLog(folder);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('the damaged log was read without an error');
}

/** The error must name segment, block, both values and what to do. */
function expectDamage(block: number, expected: RegExp, found: RegExp): void {
  const error = readError();
  expect(error).toBeInstanceOf(DamagedLogError);
  if (!(error instanceof DamagedLogError)) return;
  expect(error.damage.block).toBe(block);
  expect(error.damage.expected).toMatch(expected);
  expect(error.damage.found).toMatch(found);
  expect(error.message).toContain(`segment ${error.damage.segment}`);
  if (block > 0) expect(error.message).toContain(`block ${block}`);
  expect(error.message).toMatch(
    /expected .+, found .+\. Nothing was changed.+put the segment back/,
  );
  expect(error.exitCode).toBe(12);
}

const setUint64 = (at: number, value: number) => (stored: Buffer) => {
  stored.writeBigUInt64LE(BigInt(value), at);
  return seal(stored);
};

const setUint32 = (at: number, value: number) => (stored: Buffer) => {
  stored.writeUInt32LE(value, at);
  return seal(stored);
};

const flip = (at: number, bits: number) => (stored: Buffer) => {
  stored.writeUInt8(stored.readUInt8(at) ^ bits, at);
  return stored;
};

describe('one block', () => {
  const cases: [name: string, change: (stored: Buffer) => Buffer, RegExp, RegExp][] = [
    ['a flipped bit of the content', flip(500, 4), /content checksum/, /^[0-9a-f]{8}$/],
    ['a flipped bit of the last byte', flip(3_055, 128), /content checksum/, /./],
    ['a flipped bit of the header', flip(20, 1), /header checksum/, /./],
    ['a flipped bit of the magic', flip(0, 1), /magic/, /./],
    ['a content cut short', (stored) => stored.subarray(0, -1), /^3000 bytes of/, /^2999$/],
    ['a content that goes on', (stored) => Buffer.concat([stored, stored]), /^3000/, /^6056$/],
    ['less than a header', (stored) => stored.subarray(0, 30), /at least 56 bytes/, /^30$/],
    ['a wrong number', setUint64(16, 50), /block number 5/, /^50 .*reordered/],
    ['an older time', setUint64(32, 999), /time of at least 1000 ms/, /^999 ms/],
    ['a gap of sequences', setUint64(24, 12), /sequence 9 of shard 0/, /^12$/],
    ['repeated sequences', setUint64(24, 7), /sequence 9 of shard 0/, /^7$/],
    ['another shard', setUint32(8, 0x1_0000), /sequence 1 of shard 1/, /^9$/],
    ['no record', setUint32(12, 0), /at least one record/, /none/],
    ['another log', setUint32(48, 1), /previous header's/, /00000001 .*another log/],
    ['a content above the bound', setUint32(40, 2_000_000), /at most 1048576/, /2000000/],
  ];
  for (const [name, change, expected, found] of cases) {
    test(`${name} stops the reading at that block`, () => {
      edit(5, change);
      expectDamage(5, expected, found);
    });
  }

  test('a content with both checksums made right is found by the next block’s chain', () => {
    edit(5, (stored) => {
      stored.writeUInt8(stored.readUInt8(500) ^ 1, 500);
      stored.writeUInt32LE(crc32(stored.subarray(56)), 44);
      return seal(stored);
    });
    expectDamage(6, /previous header's checksum/, /replaced/);
  });

  test('a newer version stops by name', () => {
    edit(5, (stored) => {
      stored.writeUInt16LE(3, 4);
      return seal(stored);
    });
    const error = readError();
    expect(error).toBeInstanceOf(UnknownVersionError);
    expect(error.message).toMatch(/block 5 of segment 0000000000000001 .*version.* 3 \(known: 2\)/);
  });
});

describe('the row of blocks', () => {
  test('a missing block is named', () => {
    rewrite(() => new Map([[5, null]]));
    expectDamage(5, /^block 5$/, /none; the next is block 6/);
  });

  test('a missing first block is named', () => {
    rewrite(() => new Map([[1, null]]));
    expectDamage(1, /first block 1 as the segment's name says/, /first block 2/);
  });

  test('a block before the segment’s first is named', () => {
    rewrite((get) => new Map([[0, get(1)]]));
    const error = readError();
    expect(error.message).toMatch(/10 blocks in the segment, found 11 values|first block/);
  });

  test('a repeated block is named', () => {
    rewrite((get) => new Map([[5, get(4)]]));
    expectDamage(5, /block number 5/, /^4 .*repeated/);
  });

  test('two swapped blocks are found at the first', () => {
    rewrite(
      (get) =>
        new Map([
          [5, get(6)],
          [6, get(5)],
        ]),
    );
    expectDamage(5, /block number 5/, /^6 .*reordered/);
  });

  test('a block of another log is found, even with the right number, time and sequence', () => {
    const other = makeTemporaryFolder();
    const log = new TestLog({ folder: other });
    log.append(10, 3_000);
    log.close();
    const database = openSegmentRaw(other, FIRST_SEGMENT);
    const foreign = Buffer.from(database.get(blockKey(1)) ?? []);
    void database.close();
    removeFolder(other);
    rewrite(() => new Map([[1, foreign]]));
    expectDamage(1, /previous header's checksum/, /another log/);
  });

  test('a key that is no block number is found', () => {
    const database = openSegmentRaw(folder, FIRST_SEGMENT);
    database.putSync(Buffer.from('zz'), Buffer.from('x'));
    void database.close();
    expectDamage(11, /block numbers as keys/, /no block number/);
  });
});

describe('segments', () => {
  beforeEach(() => {
    const log = new TestLog({ folder, segmentBytesMax: 60_000 });
    log.append(20, 8_000);
    log.close();
    expect(listSegments(logFolderOf(folder)).length).toBeGreaterThan(3);
  });

  function segment(index: number): { first: number; path: string; next: number } {
    const numbers = listSegments(logFolderOf(folder));
    const first = numbers[index] ?? 0;
    const path = join(logFolderOf(folder), segmentName(first));
    return { first, path, next: numbers[index + 1] ?? 0 };
  }

  test('a missing one in the middle is named', () => {
    const { first, path, next } = segment(1);
    rmSync(path, { recursive: true });
    expectDamage(first, new RegExp(`segment ${segmentName(first)} at this place`), /is missing/);
    expect(readError().message).toContain(segmentName(next));
  });

  test('a missing first one is named', () => {
    rmSync(segment(0).path, { recursive: true });
    expectDamage(1, /segment 0000000000000001 at this place/, /is missing/);
  });

  test('a renamed one is named', () => {
    const { first, path } = segment(1);
    renameSync(path, join(logFolderOf(folder), segmentName(first + 1)));
    expectDamage(first, new RegExp(segmentName(first)), /was renamed/);
  });

  test('one that holds another’s blocks is found by its name', () => {
    const [one, two] = [segment(1), segment(2)];
    renameSync(one.path, `${one.path}.aside`);
    renameSync(two.path, one.path);
    renameSync(`${one.path}.aside`, two.path);
    expectDamage(one.first, /as the segment's name says/, new RegExp(`first block ${two.first}`));
  });

  test('an empty one before the last is named', () => {
    const { first, path } = segment(1);
    const database = openSegmentRaw(folder, segmentName(first));
    database.clearSync();
    void database.close();
    expectDamage(first, /^block/, /an empty segment before the last/);
    expect(path).toContain(segmentName(first));
  });

  test('a last one that is empty under a wrong name is named', () => {
    const log = logFolderOf(folder);
    const { first, path } = segment(listSegments(log).length - 1);
    const database = openSegmentRaw(folder, segmentName(first));
    database.clearSync();
    void database.close();
    renameSync(path, join(log, segmentName(first + 7)));
    expectDamage(first, new RegExp(segmentName(first)), new RegExp(segmentName(first + 7)));
  });

  test('a file that was cut short is named before it is read', () => {
    truncateSync(join(segment(1).path, 'data.mdb'), 12_288);
    expectDamage(0, /at least \d+ bytes/, /^12288 bytes/);
  });

  test('a file that is no LMDB file, empty or missing is named', () => {
    const file = join(segment(1).path, 'data.mdb');
    writeFileSync(file, Buffer.alloc(20_000, 7));
    expectDamage(0, /LMDB's magic/, /^7070707$/);
    truncateSync(file, 0);
    expectDamage(0, /LMDB's magic/, /^0$/);
    rmSync(file);
    expectDamage(0, /a file data\.mdb/, /none/);
  });

  test('a foreign file in the log is named', () => {
    writeFileSync(join(logFolderOf(folder), 'notes.txt'), 'x');
    expectDamage(0, /16 digits/, /notes\.txt/);
  });
});
