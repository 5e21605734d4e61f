// Replay with a reader's thread beside replay in one thread, on the same real logs: the same state,
// the same errors at the same place, and a thread that ends whatever happens.
import type { Worker } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ReplayError } from '../../core/decisions/replay-error.ts';
import { Shard } from '../../core/shard.ts';
import { chainSeedOf, logFolderOf, readIdentity } from '../../persist/data-folder.ts';
import { emptyLogEnd, type LogEnd } from '../../persist/log-chain.ts';
import { DamagedLogError, UnknownVersionError } from '../../persist/log-errors.ts';
import { replayLog } from '../../persist/replay.ts';
import { packFailure, unpackFailure } from '../../persist/replay-failure.ts';
import { replayInPipeline } from '../../persist/replay-pipeline.ts';
import {
  AppliedSlots,
  allocateReplayPort,
  REPLAY_SLOTS,
  ReaderSlots,
  SilentReaderError,
} from '../../persist/replay-port.ts';
import { ProgressMeter, type ReplayProgress } from '../../persist/replay-progress.ts';
import { listSegments, segmentName } from '../../persist/segment-list.ts';
import type { StoredBlock } from '../support/engine-stage.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { type Play, play, writeLog } from './played-log.ts';
import {
  blockKey,
  makeTemporaryFolder,
  openSegmentRaw,
  readLog,
  removeFolder,
} from './test-log.ts';

const HERE = Number.POSITIVE_INFINITY;
const THREAD = 0;
const HEADER_CHECKSUM_AT = 52;

let folder = '';

beforeEach(() => {
  folder = makeTemporaryFolder();
});

afterEach(() => removeFolder(folder));

function newShard(): Shard {
  return new Shard({ shard: 0, hashSeed: new Uint8Array(16).fill(99) });
}

/** A replay's outcome: the shard, and the log's end or what was thrown. */
interface Replayed {
  readonly shard: Shard;
  readonly end: LogEnd | undefined;
  readonly error: unknown;
  readonly progress: readonly ReplayProgress[];
}

function replay(readerThreadFromBytes: number): Replayed {
  const shard = newShard();
  const progress: ReplayProgress[] = [];
  const onProgress = (step: ReplayProgress): void => void progress.push(step);
  try {
    const end = replayLog({ dataFolder: folder, target: shard, readerThreadFromBytes, onProgress });
    return { shard, end, error: undefined, progress };
  } catch (error) {
    return { shard, end: undefined, error, progress };
  }
}

/** All that can be asked of a shard without sending it anything. */
function stateOf(shard: Shard): unknown {
  const { accounts } = shard;
  return {
    sequence: shard.sequence,
    lastTimeMs: shard.lastTimeMs,
    totals: shard.checkTotals(),
    rows: shard.measureTables().map(({ table, rowCount }) => [table, rowCount]),
    system: [0, 1, 2, 3, 4].map((account) => shard.systemTotal(1, 0, account)),
    accounts: Array.from({ length: accounts.rowCount }, (_, row) => [
      accounts.cashMinor(row),
      accounts.bonusMinor(row),
      accounts.heldMinor(row),
      accounts.status(row),
      accounts.operator(row) * 256 + accounts.currency(row),
      accounts.playerBytes(row),
    ]),
  };
}

/** What a shard answers to everything that was sent before. */
function repeatAll({ stage, sent }: Play, shard: Shard): unknown {
  stage.shard = shard;
  return stage.decide(sent);
}

/** Changes a stored block behind the log's back. */
function edit(block: number, change: (stored: Buffer) => void): void {
  const segment = segmentOf(block);
  const database = openSegmentRaw(folder, segment);
  const stored = Buffer.from(database.get(blockKey(block)) ?? []);
  change(stored);
  stored.writeUInt32LE(crc32(stored.subarray(0, HEADER_CHECKSUM_AT)), HEADER_CHECKSUM_AT);
  database.putSync(blockKey(block), stored);
  void database.close();
}

/** Name of the segment that a block lies in. */
function segmentOf(block: number): string {
  const starts = listSegments(logFolderOf(folder));
  return segmentName(starts.findLast((first) => first <= block) ?? 1);
}

/** Both replays fail alike: same class, message, data, and as much applied before. */
function expectSameFailure(expected: new (...parts: never[]) => Error): Replayed {
  const here = replay(HERE);
  const thread = replay(THREAD);
  expect(here.error).toBeInstanceOf(expected);
  expect(thread.error).toBeInstanceOf(expected);
  expect(String(thread.error)).toBe(String(here.error));
  expect(thread.error).toEqual(here.error);
  expect(thread.shard.sequence).toBe(here.shard.sequence);
  expect(thread.shard.accounts.rowCount).toBe(here.shard.accounts.rowCount);
  return thread;
}

/** Resolves when the next thread that this process starts has ended. */
function nextThreadEnd(): Promise<number> {
  return new Promise((resolve) => {
    process.once('worker', (worker: Worker) => worker.once('exit', resolve));
  });
}

describe('a replay with a reader’s thread', () => {
  test('gives the state that one thread gives and that the log was written from', async () => {
    const played = play(new SeededRandom('pipelined replay'));
    writeLog(folder, played.blocks);
    const live = stateOf(played.stage.shard);
    const here = replay(HERE);
    const hasEnded = nextThreadEnd();
    const thread = replay(THREAD);
    expect(here.error).toBe(undefined);
    expect(thread.error).toBe(undefined);
    expect(await hasEnded).toBe(0);
    expect(stateOf(here.shard)).toEqual(live);
    expect(stateOf(thread.shard)).toEqual(live);
    expect(thread.end).toEqual(here.end);
    expect(thread.end).toEqual(readLog(folder).end);
    expect(thread.progress.at(-1)).toEqual(here.progress.at(-1));
    const liveShard = played.stage.shard;
    const answers = repeatAll(played, liveShard);
    expect(repeatAll(played, thread.shard)).toEqual(answers);
    expect(repeatAll(played, here.shard)).toEqual(answers);
    expect(stateOf(thread.shard)).toEqual(stateOf(liveShard));
  });

  for (const startCount of [2 ** 31 - 2, 2 ** 32 - 2]) {
    test(`counters that start at ${startCount} wrap`, () => {
      const played = play(new SeededRandom('pipelined replay'));
      writeLog(folder, played.blocks);
      const shard = newShard();
      const after = emptyLogEnd(chainSeedOf(readIdentity(folder)));
      const log = { logFolder: logFolderOf(folder), after };
      const progress = new ProgressMeter(after, undefined);
      replayInPipeline({ log, target: shard, shard: 0, progress, startCount, logBytes: 0 });
      expect(stateOf(shard)).toEqual(stateOf(played.stage.shard));
    });
  }

  test('goes on block by block behind its end', () => {
    const played = play(new SeededRandom('pipelined replay'));
    const half = Math.floor(played.blocks.length / 2);
    writeLog(folder, played.blocks.slice(0, half));
    const { shard, end } = replay(THREAD);
    writeLog(folder, played.blocks.slice(half));
    if (end === undefined) throw new Error('the first half is replayed');
    replayLog({ dataFolder: folder, target: shard, after: end, readerThreadFromBytes: THREAD });
    expect(stateOf(shard)).toEqual(stateOf(played.stage.shard));
  });

  test('of a log without blocks gives its end', () => {
    writeLog(folder, []);
    expect(replay(THREAD).end).toEqual(replay(HERE).end);
  });
});

describe('what stops a replay', () => {
  let played: Play;

  beforeEach(() => {
    played = play(new SeededRandom('stopped replay'));
    writeLog(folder, played.blocks);
  });

  test('a damaged block stops both at the same place with the same words', async () => {
    edit(9, (stored) => {
      stored[stored.length - 1] ^= 1;
    });
    const hasEnded = nextThreadEnd();
    const { error, shard } = expectSameFailure(DamagedLogError);
    expect(String(error)).toContain(`segment ${segmentOf(9)}, block 9 is damaged`);
    expect(shard.sequence).toBeGreaterThan(0);
    expect(await hasEnded).toBe(0);
  });

  test('an unknown version stops both with the same words', () => {
    edit(5, (stored) => void stored.writeUInt16LE(7, 4));
    expectSameFailure(UnknownVersionError);
  });

  test('a missing folder stops both with the same error of the system', () => {
    removeFolder(logFolderOf(folder));
    const here = replay(HERE);
    const thread = replay(THREAD);
    expect(here.error).toMatchObject({ code: 'ENOENT' });
    expect(thread.error).toMatchObject({ code: 'ENOENT' });
  });

  test('records that cannot be decoded stop both at the same record', () => {
    const damaged = played.blocks.map((block, place) =>
      place === 4 ? { ...block, content: block.content.slice(0, -3) } : block,
    );
    removeFolder(folder);
    writeLog(folder, damaged);
    const { error } = expectSameFailure(DamagedLogError);
    expect(error).toMatchObject({ cause: expect.any(ReplayError) });
  });

  test('records that cannot be applied stop both at the same record, and the reader', async () => {
    const { blocks } = played;
    // The reader goes on with many more blocks than the ring has room for.
    // A large one: a record alone may move no money.
    const unfit = blocks.findIndex(({ recordCount }) => recordCount > 500);
    const content = findUnfitContent(blocks.slice(0, unfit), blocks[unfit]);
    const damaged = blocks.map((block, place) => (place === unfit ? { ...block, content } : block));
    removeFolder(folder);
    writeLog(folder, damaged);
    const hasEnded = nextThreadEnd();
    const { error } = expectSameFailure(DamagedLogError);
    expect(error).toMatchObject({ cause: expect.any(ReplayError) });
    expect(String(error)).toContain('balances after a record are those that it carries');
    expect(await hasEnded).toBe(0);
    expect(readLog(folder).blocks.length).toBeGreaterThan(blocks.length);
  });

  test('a target that gives up stops the reader', async () => {
    const target = Object.assign(newShard(), {
      applyRows(): void {
        throw new RangeError('bound');
      },
    });
    const hasEnded = nextThreadEnd();
    const options = { dataFolder: folder, target, readerThreadFromBytes: THREAD };
    expect(() => replayLog(options)).toThrow(RangeError);
    expect(await hasEnded).toBe(0);
  });
});

/** A change of one byte that only the balances tell. */
function findUnfitContent(before: readonly StoredBlock[], block: StoredBlock): Uint8Array {
  for (let at = 0; at < block.content.byteLength; at += 1) {
    const content = block.content.slice();
    content[at] ^= 2;
    const shard = newShard();
    for (const earlier of before) {
      shard.applyBlock(earlier.content, earlier.recordCount, earlier.firstSequence);
    }
    try {
      shard.applyBlock(content, block.recordCount, block.firstSequence);
    } catch (error) {
      if (String(error).includes('balances after a record')) return content;
    }
  }
  throw new Error('a changed balance is found');
}

describe('the replay port', () => {
  for (const startCount of [0, 2 ** 31 - 3, 2 ** 32 - 3]) {
    test(`from ${startCount} slots go round in order, and no further than there are`, () => {
      const port = allocateReplayPort(startCount);
      const reader = new ReaderSlots(port);
      const applier = new AppliedSlots(port);
      let written = 0;
      const write = (): void => {
        const slot = reader.waitForRoom();
        written += 1;
        slot?.spans.add({ ...SPAN, blockNumber: written });
        reader.publish();
      };
      for (let slot = 0; slot < REPLAY_SLOTS; slot += 1) write();
      for (let round = 1; round <= 20; round += 1) {
        const slot = applier.waitForSlot();
        expect([slot?.spans.count, slot?.spans.blockNumber[0]]).toEqual([1, round]);
        applier.release();
        write();
      }
      reader.finish();
      for (let left = 0; left < REPLAY_SLOTS; left += 1) {
        expect(applier.waitForSlot()).not.toBe(null);
        applier.release();
      }
      expect(applier.waitForSlot()).toBe(null);
    });
  }

  test('a reader without room ends when the replay is abandoned', () => {
    const port = allocateReplayPort();
    const reader = new ReaderSlots(port);
    for (let slot = 0; slot < REPLAY_SLOTS; slot += 1) {
      reader.waitForRoom();
      reader.publish();
    }
    const applier = new AppliedSlots(port, 30);
    // Nobody ends for the reader, which is this thread.
    expect(() => applier.abandon()).toThrow(SilentReaderError);
    expect(reader.waitForRoom()).toBe(null);
    reader.finish();
    applier.abandon();
  });

  test('a reader that shows no life is given up', () => {
    const applier = new AppliedSlots(allocateReplayPort(), 30);
    expect(() => applier.waitForSlot()).toThrow(SilentReaderError);
  });
});

const SPAN = { blockNumber: 1, segment: segmentName(1), rowUntil: 0, firstSequence: 1 };

describe('an error between threads', () => {
  test('keeps class, message, fields, stack and cause', () => {
    const cause = new ReplayError('Cannot replay record 3');
    const damage = { segment: 's', block: 3, expected: 'a', found: 'b' };
    const system = Object.assign(new Error('no such file'), { code: 'ENOENT', path: '/x' });
    const unknown = new UnknownVersionError('block 3', { known: 1, found: 7 });
    for (const error of [
      new DamagedLogError(damage, cause),
      system,
      unknown,
      new RangeError('r'),
    ]) {
      const copy = unpackFailure(structuredClone(packFailure(error)));
      expect(copy).toEqual(error);
      expect(copy.constructor).toBe(error.constructor);
      expect(copy.stack).toBe(error.stack);
      expect(copy.cause).toEqual(error.cause);
    }
    expect(unpackFailure(packFailure('text')).message).toBe('text');
  });
});
