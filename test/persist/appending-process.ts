// A process of its own that appends to a log until it is told or made to end; the crash tests
// start, trace and kill it. Like the server's main thread it exits with the stop signal's code.
// Arguments: data folder, block bytes, how many blocks (0 for no end), segment bytes. Prints
// `durable <position>` for each block, straight after the log writer published it.
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { BLOCKS_PER_LANE } from '../../core/limits.ts';
import { allocateCommitPort, LaneBlocks } from '../../persist/commit-port.ts';
import { openDataFolder } from '../../persist/data-folder.ts';
import { lockFolder } from '../../persist/folder-lock.ts';
import { replayLog } from '../../persist/replay.ts';
import { allocateStopSignal, stopCode, waitForStop } from '../../persist/stop-signal.ts';
import { allocateWriterCounters } from '../../persist/writer-counters.ts';

const [dataFolder = '', blockBytesText, blockCountText, segmentBytesText] = process.argv.slice(2);
const blockBytes = Number(blockBytesText);
const blockCount = Number(blockCountText) || Number.POSITIVE_INFINITY;
const segmentBytesMax = Number(segmentBytesText);

lockFolder(dataFolder);
openDataFolder(dataFolder, 1);
const resume = replayLog({ dataFolder, target: { applyBlock() {} } });
const port = allocateCommitPort();
const stop = allocateStopSignal();
const writer = new Worker(new URL('../../persist/log-writer-thread.ts', import.meta.url), {
  workerData: {
    dataFolder,
    segmentBytesMax,
    ports: [port],
    resume,
    stop,
    counters: allocateWriterCounters(),
  },
});
const isWriterDone = new Promise((resolve) => writer.once('exit', resolve));
void waitForStop(stop).then((code) => process.exit(code));

const lane = new LaneBlocks(port, { stop, resumePosition: resume.blockNumber });
let sequence = resume.sequences[0] ?? 0;
let printedCount = 0;

// The log writer may publish while this fills: what was not printed yet keeps its position.
function fill(): void {
  const countMax = Math.min(blockCount, printedCount + BLOCKS_PER_LANE);
  while (lane.handedOverCount < countMax) {
    const block = lane.open();
    if (block === null) return;
    block.bytes.fill(sequence & 0xff, 0, blockBytes);
    block.usedBytes = blockBytes;
    block.recordCount = 3;
    block.firstSequence = sequence + 1;
    block.lastTimeMs = Date.now();
    sequence += 3;
    lane.handOver();
  }
}

function printDurable(): void {
  for (; printedCount < lane.durableCount; printedCount++) {
    writeSync(1, `durable ${lane.positionOf(printedCount + 1)}\n`);
  }
}

while (printedCount < blockCount && stopCode(stop) === 0) {
  fill();
  await lane.waitForDurable(printedCount);
  printDurable();
}
if (stopCode(stop) === 0) {
  lane.close();
  await isWriterDone;
}
