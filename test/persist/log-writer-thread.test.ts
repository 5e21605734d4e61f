// The log writer's thread together with a lane, as the server runs them: shared counters that wrap,
// the gate, the end, and a stop signal from elsewhere.
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BLOCKS_PER_LANE } from '../../core/limits.ts';
import {
  allocateCommitPort,
  holdCommits,
  LaneBlocks,
  releaseCommits,
} from '../../persist/commit-port.ts';
import { openDataFolder } from '../../persist/data-folder.ts';
import { ExitCode } from '../../persist/exit-codes.ts';
import type { LogWriterThreadData } from '../../persist/log-writer-thread.ts';
import { allocateStopSignal, raiseStop, stopCode } from '../../persist/stop-signal.ts';
import { allocateWriterCounters, readWriterCounters } from '../../persist/writer-counters.ts';
import { makeTemporaryFolder, readLog, removeFolder } from './test-log.ts';

let folder = '';

beforeEach(() => {
  folder = makeTemporaryFolder();
});

afterEach(() => removeFolder(folder));

/** A thread on an empty log, with the ports of its lanes. */
function startThread(ports: SharedArrayBuffer[]): {
  stop: SharedArrayBuffer;
  counters: SharedArrayBuffer;
  worker: Worker;
  hasEnded: Promise<unknown>;
} {
  openDataFolder(folder, 1);
  const stop = allocateStopSignal();
  const counters = allocateWriterCounters();
  const resume = readLog(folder).end;
  const workerData: LogWriterThreadData = {
    dataFolder: folder,
    segmentBytesMax: 300_000,
    ports,
    resume,
    stop,
    counters,
  };
  const entry = new URL('../../persist/log-writer-thread.ts', import.meta.url);
  const worker = new Worker(entry, { workerData });
  return { stop, counters, worker, hasEnded: new Promise((end) => worker.once('exit', end)) };
}

function handOver(lane: LaneBlocks, sequence: number): number {
  const block = lane.open();
  if (block === null) return 0;
  block.bytes.fill(sequence & 0xff, 0, 3_000);
  block.usedBytes = 3_000;
  block.recordCount = 1;
  block.firstSequence = sequence;
  block.lastTimeMs = 1_000;
  return lane.handOver();
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('log writer thread', () => {
  for (const startCount of [2 ** 31 - 150, 2 ** 32 - 150]) {
    test(`300 blocks of two lanes pass the wrap from ${startCount}`, async () => {
      const ports = [allocateCommitPort(startCount), allocateCommitPort(startCount)];
      const thread = startThread(ports);
      const lanes = ports.map((port) => {
        const [bellPort = port] = ports;
        return new LaneBlocks(port, { bellPort, stop: thread.stop });
      });
      const positions: number[] = [];
      await Promise.all(
        lanes.map(async (lane) => {
          for (let sequence = 1; sequence <= 300; ) {
            const laneBlock = handOver(lane, sequence);
            if (laneBlock > 0) sequence++;
            else await lane.waitForDurable(lane.handedOverCount - BLOCKS_PER_LANE);
          }
          await lane.waitForDurable(startCount + 299);
          positions.push(lane.lastPosition);
          lane.close();
        }),
      );
      await thread.hasEnded;
      expect(stopCode(thread.stop)).toBe(0);
      expect(Math.max(...positions)).toBe(600);
      const { blocks, end } = readLog(folder);
      expect(blocks.length).toBe(600);
      expect(end.sequences).toEqual([300, 300]);
      for (const block of blocks) expect(block.content[2_999]).toBe(block.firstSequence & 0xff);
      expect(readWriterCounters(thread.counters).durablePosition).toBe(600);
    });
  }

  test('while commits are held nothing becomes durable, and afterwards all of it', async () => {
    const port = allocateCommitPort();
    const thread = startThread([port]);
    const lane = new LaneBlocks(port, { stop: thread.stop });
    handOver(lane, 1);
    await lane.waitForDurable(0);
    holdCommits(port);
    handOver(lane, 2);
    handOver(lane, 3);
    await pause(150);
    expect(lane.durableCount).toBe(1);
    expect(readWriterCounters(thread.counters).commits).toBe(1);
    releaseCommits(port);
    await lane.waitForDurable(2);
    lane.close();
    await thread.hasEnded;
    expect(readLog(folder).blocks.length).toBe(3);
  });

  test('what was handed over before the end is on disk when the thread has ended', async () => {
    const port = allocateCommitPort();
    const thread = startThread([port]);
    const lane = new LaneBlocks(port);
    for (let sequence = 1; sequence <= 4; sequence++) handOver(lane, sequence);
    lane.close();
    await thread.hasEnded;
    expect(lane.durableCount).toBe(4);
    expect(readLog(folder).blocks.length).toBe(4);
  });

  test('after a stop signal nothing more is committed', async () => {
    const port = allocateCommitPort();
    const thread = startThread([port]);
    const lane = new LaneBlocks(port, { stop: thread.stop });
    handOver(lane, 1);
    await lane.waitForDurable(0);
    raiseStop(thread.stop, ExitCode.invariant);
    await pause(30);
    handOver(lane, 2);
    await pause(60);
    expect(lane.durableCount).toBe(1);
    await thread.worker.terminate();
  });

  test('a broken invariant in the thread stops the process and publishes nothing', async () => {
    const port = allocateCommitPort();
    const thread = startThread([port]);
    const lane = new LaneBlocks(port, { stop: thread.stop });
    handOver(lane, 1);
    await lane.waitForDurable(0);
    handOver(lane, 7);
    await lane.waitForDurable(1);
    expect(stopCode(thread.stop)).toBe(ExitCode.invariant);
    expect(lane.durableCount).toBe(1);
    await thread.worker.terminate();
    expect(readLog(folder).blocks.length).toBe(1);
  });
});
