// Replay: every block reaches the target once, in order, and what cannot be applied stops it.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DamagedLogError } from '../../persist/log-errors.ts';
import { replayLog } from '../../persist/replay.ts';
import type { ReplayProgress } from '../../persist/replay-progress.ts';
import { makeTemporaryFolder, readLog, removeFolder, TestLog } from './test-log.ts';

let folder = '';

beforeEach(() => {
  folder = makeTemporaryFolder();
});

afterEach(() => removeFolder(folder));

function write(blockCount: number, lanes: number = 1): void {
  const log = new TestLog({ folder, segmentBytesMax: 80_000, lanes });
  for (let block = 0; block < blockCount; block++) {
    log.handOver({ bytes: 2_000 + block, records: 5, lane: block % lanes, timeMs: 1_000 + block });
    log.commit();
  }
  log.close();
}

/** An error as the core throws it for content that does not fit. */
class ReplayError extends Error {
  override readonly name = 'ReplayError';
}

describe('replay', () => {
  test('the target gets each block once and in order, and the end fits the next writer', () => {
    write(60);
    const seen: number[] = [];
    const target = {
      applyBlock(content: Uint8Array, recordCount: number, firstSequence: number): void {
        expect(recordCount).toBe(5);
        expect(firstSequence).toBe(seen.length * 5 + 1);
        seen.push(content.byteLength);
      },
    };
    const end = replayLog({ dataFolder: folder, target });
    expect(seen).toEqual(Array.from({ length: 60 }, (_, block) => 2_000 + block));
    expect(end).toEqual(readLog(folder).end);
    expect(end).toMatchObject({ blockNumber: 60, sequences: [300], timeMs: 1_059 });
  });

  test('only the own shard’s blocks are applied', () => {
    write(30, 3);
    const counts = [0, 1, 2].map((shard) => {
      let blockCount = 0;
      const target = { applyBlock: () => void blockCount++ };
      replayLog({ dataFolder: folder, target, shard });
      return blockCount;
    });
    expect(counts).toEqual([10, 10, 10]);
  });

  test('it goes on from an earlier end, in the middle of a segment too', () => {
    write(20);
    const { end } = readLog(folder);
    write(25);
    const sequences: number[] = [];
    const target = {
      applyBlock: (_: Uint8Array, __: number, first: number) => void sequences.push(first),
    };
    const next = replayLog({ dataFolder: folder, target, after: end });
    expect(sequences).toEqual(Array.from({ length: 25 }, (_, block) => 101 + block * 5));
    expect(next).toEqual(readLog(folder).end);
  });

  test('progress tells position, records and bytes at the end', () => {
    write(10);
    const progress: ReplayProgress[] = [];
    replayLog({
      dataFolder: folder,
      target: { applyBlock() {} },
      onProgress: (step) => void progress.push(step),
    });
    expect(progress.at(-1)).toEqual({
      blockNumber: 10,
      blockCount: 10,
      recordCount: 50,
      contentBytes: 20_045,
      timeMs: 1_009,
    });
  });

  test('content that cannot be applied names segment, block and the core’s reason', () => {
    write(10);
    const target = {
      applyBlock(_: Uint8Array, __: number, firstSequence: number): void {
        if (firstSequence === 16) throw new ReplayError('record 17 names account row 9 of 3');
      },
    };
    expect(() => replayLog({ dataFolder: folder, target })).toThrow(DamagedLogError);
    expect(() => replayLog({ dataFolder: folder, target })).toThrow(
      /segment 0000000000000001, block 4 .*found record 17 names account row 9 of 3/,
    );
  });

  test('another error of the target comes through as it is, and the log can be read again', () => {
    write(3);
    const target = {
      applyBlock(): void {
        throw new RangeError('bound');
      },
    };
    expect(() => replayLog({ dataFolder: folder, target })).toThrow(RangeError);
    expect(readLog(folder).blocks.length).toBe(3);
  });
});
