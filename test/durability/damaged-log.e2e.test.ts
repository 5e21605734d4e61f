// A server that finds its log damaged does not start, says where and what to do, and changes
// nothing (issue's "nothing is cut off or skipped by itself"). The log is a real server's; the
// damage is done through lmdb, or to the files, behind its back.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Kind } from '../../core/kinds.ts';
import { BLOCK_HEADER_BYTES } from '../../persist/block-header.ts';
import { logFolderOf } from '../../persist/data-folder.ts';
import { ExitCode } from '../../persist/exit-codes.ts';
import { blockKey, openSegmentRaw } from '../persist/test-log.ts';
import { KassaProcess } from '../support/kassa-process.ts';
import { RawStream } from './raw-stream.ts';
import { keyOfClient } from './seeded-folder.ts';
import { ServerRuns } from './server-runs.ts';

const SEGMENT = '0000000000000001';
const BLOCK_COUNT = 12;
const DAMAGED_BLOCK = 6;
const REFUSAL_MS_MAX = 15_000;

let runs: ServerRuns;

beforeAll(async () => {
  runs = await ServerRuns.prepare();
  await runs.start().listening();
  const stream = await RawStream.open(runs.port, keyOfClient('casino', 'studio-1'));
  stream.send([1, 1, [[Kind.open, 'open', 'ann', 'EUR']]]);
  await stream.waitForAnswers(1);
  for (let number = 2; number <= BLOCK_COUNT; number += 1) {
    const metadata = 'x'.repeat(200);
    const deposit = [Kind.deposit, `deposit-${number}`, 'ann', 'EUR', 5];
    stream.send([1, number, [[...deposit, null, null, null, null, metadata]]]);
    await stream.waitForAnswers(number);
  }
  stream.close();
  await runs.end('SIGTERM');
});

afterAll(() => runs.remove());

/** A copy of the server's folder, beside it. */
function copyFolder(name: string): string {
  const folder = `${runs.folder}-${name}`;
  cpSync(runs.folder, folder, { recursive: true });
  return folder;
}

type Change = (
  get: (block: number) => Buffer,
) => readonly (readonly [number, Buffer | undefined])[];

/** Stores other blocks, or none, under their numbers. */
async function rewrite(folder: string, change: Change): Promise<void> {
  const database = openSegmentRaw(folder, SEGMENT);
  const get = (block: number): Buffer => Buffer.from(database.get(blockKey(block)) ?? []);
  for (const [block, stored] of change(get)) {
    if (stored === undefined) database.removeSync(blockKey(block));
    else database.putSync(blockKey(block), stored);
  }
  await database.close();
}

function withFlippedBit(stored: Buffer, at: number): Buffer {
  stored.writeUInt8(stored.readUInt8(at) ^ 1, at);
  return stored;
}

/** Every file of the log with its bytes, without LMDB's table of readers. */
function readFiles(folder: string): Map<string, Buffer> {
  const log = logFolderOf(folder);
  const names = readdirSync(log).map((segment) => join(segment, 'data.mdb'));
  const present = names.filter((name) => existsSync(join(log, name)));
  return new Map(present.map((name) => [name, readFileSync(join(log, name))]));
}

/** Starts a server on the folder: it must refuse with a text that has all of these. */
async function expectRefusal(folder: string, texts: readonly RegExp[]): Promise<void> {
  const before = readFiles(folder);
  const server = new KassaProcess(folder, { KASSA_DEMO: 'off' });
  const end = await Promise.race([server.ended, sleep(REFUSAL_MS_MAX)]);
  // One that serves is not left behind.
  await server.end('SIGKILL');
  expect(end?.exit, server.errors).toBe(ExitCode.damagedLog);
  expect(server.errors).not.toContain('"listening"');
  const told = readFileSync(join(folder, 'last-error'), 'utf8');
  for (const text of [...texts, /expected .+, found .+\. Nothing was changed/, /put the segment/]) {
    expect(server.errors).toMatch(text);
    expect(told).toMatch(text);
  }
  const after = readFiles(folder);
  expect([...after.keys()]).toEqual([...before.keys()]);
  for (const [name, bytes] of before) expect(after.get(name)?.equals(bytes), name).toBe(true);
}

const inBlock = new RegExp(`segment ${SEGMENT}, block ${DAMAGED_BLOCK} is damaged`);

const cases: readonly (readonly [string, Change, RegExp])[] = [
  [
    'a flipped bit of a record',
    (get) => [[DAMAGED_BLOCK, withFlippedBit(get(DAMAGED_BLOCK), BLOCK_HEADER_BYTES + 9)]],
    /expected content checksum [0-9a-f]{8}, found [0-9a-f]{8}/,
  ],
  [
    'a flipped bit of a header',
    (get) => [[DAMAGED_BLOCK, withFlippedBit(get(DAMAGED_BLOCK), 20)]],
    /expected .*header checksum.*, found/,
  ],
  [
    'a missing block',
    () => [[DAMAGED_BLOCK, undefined]],
    new RegExp(
      `expected block ${DAMAGED_BLOCK}, found none; the next is block ${DAMAGED_BLOCK + 1}`,
    ),
  ],
  [
    'two blocks in each other’s place',
    (get) => [
      [DAMAGED_BLOCK, get(DAMAGED_BLOCK + 1)],
      [DAMAGED_BLOCK + 1, get(DAMAGED_BLOCK)],
    ],
    /expected block number 6, found 7 \(a block is reordered\)/,
  ],
  [
    'a repeated block',
    (get) => [[DAMAGED_BLOCK, get(DAMAGED_BLOCK - 1)]],
    /expected block number 6, found 5 \(a block is repeated or reordered\)/,
  ],
];

describe('a start is refused', () => {
  for (const [name, change, text] of cases) {
    test(`by ${name}, by segment and block`, async () => {
      const folder = copyFolder(name.replace(/\W/g, '-'));
      await rewrite(folder, change);
      await expectRefusal(folder, [inBlock, text]);
    });
  }

  test('by a segment that is cut short, by its name', async () => {
    const folder = copyFolder('cut');
    truncateSync(join(logFolderOf(folder), SEGMENT, 'data.mdb'), 4_096 * 3);
    await expectRefusal(folder, [new RegExp(`segment ${SEGMENT}`)]);
  });

  test('by a segment without its file, by its name', async () => {
    const folder = copyFolder('without-file');
    rmSync(join(logFolderOf(folder), SEGMENT, 'data.mdb'));
    await expectRefusal(folder, [new RegExp(`segment ${SEGMENT}`)]);
  });
});

test('an undamaged copy starts, so that the refusals above are the damage’s', async () => {
  const server = new KassaProcess(copyFolder('whole'), { KASSA_DEMO: 'off' });
  try {
    await server.listening();
  } finally {
    await server.end('SIGKILL');
  }
});
