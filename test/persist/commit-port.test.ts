// The commit port: ownership of buffers, counts that wrap, waking up, and the test gate.
import { describe, expect, test } from 'vitest';
import { BLOCK_CONTENT_BYTES_MAX, BLOCKS_PER_LANE } from '../../core/limits.ts';
import {
  allocateCommitPort,
  holdCommits,
  LaneBlocks,
  releaseCommits,
  WriterBlocks,
} from '../../persist/commit-port.ts';
import { ExitCode } from '../../persist/exit-codes.ts';
import { allocateStopSignal, raiseStop } from '../../persist/stop-signal.ts';

function fillAndHandOver(lane: LaneBlocks, byte: number): number {
  const content = lane.open();
  if (content === null) return -1;
  content.bytes.fill(byte, 0, 10);
  content.usedBytes = 10;
  content.recordCount = 1;
  content.firstSequence = lane.handedOverCount + 1;
  content.lastTimeMs = 5;
  return lane.handOver();
}

describe('commit port', () => {
  test('the open block stays the same until it is handed over, and is empty afterwards', () => {
    const lane = new LaneBlocks(allocateCommitPort());
    const first = lane.open();
    expect(lane.open()).toBe(first);
    expect(lane.handOver()).toBe(0);
    expect(lane.open()).toBe(first);
    expect(fillAndHandOver(lane, 1)).toBe(1);
    const second = lane.open();
    expect(second).not.toBe(first);
    expect(second?.recordCount).toBe(0);
    expect(second?.bytes.byteLength).toBe(BLOCK_CONTENT_BYTES_MAX);
  });

  test('a lane has all its buffers and not one more', () => {
    const shared = allocateCommitPort();
    const lane = new LaneBlocks(shared);
    const writer = new WriterBlocks(shared);
    for (let block = 1; block <= BLOCKS_PER_LANE; block++) {
      expect(fillAndHandOver(lane, block)).toBe(block);
    }
    expect(lane.open()).toBeNull();
    expect(lane.handOver()).toBe(0);
    expect(writer.startTaking()).toBe(BLOCKS_PER_LANE);
    writer.publish([41]);
    expect(lane.open()).not.toBeNull();
    expect(lane.durableCount).toBe(1);
    expect(lane.positionOf(1)).toBe(41);
    expect(lane.lastPosition).toBe(41);
    expect(() => lane.positionOf(2)).toThrow(/only a durable block/);
  });

  test('before the first block the last position is where recovery ended', () => {
    const lane = new LaneBlocks(allocateCommitPort(), { resumePosition: 77 });
    expect(lane.lastPosition).toBe(77);
  });

  // 5 ends crossing, 0 starts after: the low words pass the sign bit and zero.
  for (const startCount of [2 ** 31 - 6, 2 ** 32 - 6, 2 ** 32 * 5 - 6, 2 ** 31, 0]) {
    test(`counts go on over the wrap from ${startCount}`, () => {
      const shared = allocateCommitPort(startCount);
      const lane = new LaneBlocks(shared);
      const writer = new WriterBlocks(shared);
      for (let step = 1; step <= 20; step++) {
        expect(fillAndHandOver(lane, step)).toBe(startCount + step * 2 - 1);
        expect(fillAndHandOver(lane, 100 + step)).toBe(startCount + step * 2);
        expect(writer.startTaking()).toBe(2);
        expect(writer.block(0).content).toEqual(new Uint8Array(10).fill(step));
        expect(writer.block(1).content).toEqual(new Uint8Array(10).fill(100 + step));
        expect(lane.durableCount).toBe(startCount + step * 2 - 2);
        writer.publish([step * 10, step * 10 + 1]);
        expect(lane.durableCount).toBe(startCount + step * 2);
        expect(lane.positionOf(startCount + step * 2 - 1)).toBe(step * 10);
        expect(lane.lastPosition).toBe(step * 10 + 1);
      }
      lane.close();
      expect(writer.isDone).toBe(true);
    });
  }

  test('waiting ends when more blocks are durable, not before', async () => {
    const shared = allocateCommitPort(2 ** 31 - 1);
    const lane = new LaneBlocks(shared);
    const writer = new WriterBlocks(shared);
    const count = lane.durableCount;
    fillAndHandOver(lane, 1);
    let isWoken = false;
    const waiting = lane.waitForDurable(count).then(() => {
      isWoken = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(isWoken).toBe(false);
    writer.publish([1]);
    await waiting;
    expect(lane.durableCount).toBe(count + 1);
  });

  test('waiting ends when the process is stopping', async () => {
    const stop = allocateStopSignal();
    const lane = new LaneBlocks(allocateCommitPort(), { stop });
    const waiting = lane.waitForDurable(0);
    raiseStop(stop, ExitCode.unexpected);
    await waiting;
    expect(lane.durableCount).toBe(0);
  });

  test('while the gate is held the writer sees nothing, afterwards everything', () => {
    const shared = allocateCommitPort();
    const lane = new LaneBlocks(shared);
    const writer = new WriterBlocks(shared);
    holdCommits(shared);
    fillAndHandOver(lane, 1);
    expect(writer.startTaking()).toBe(0);
    lane.close();
    expect(writer.isDone).toBe(false);
    releaseCommits(shared);
    expect(writer.startTaking()).toBe(1);
    writer.publish([1]);
    expect(writer.isDone).toBe(true);
  });
});
