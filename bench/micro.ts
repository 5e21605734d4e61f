// `npm run bench:micro`: the parts of a transaction's way, one by one, by tinybench. Entry. The
// figures are of a loop over one part: caches are warmer and branches better known than in a
// server.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Bench } from 'tinybench';
import { Decision } from '../core/records/decision.ts';
import { KeyColumns } from '../core/records/key-columns.ts';
import { writeRecord } from '../core/records/record-writer.ts';
import { Segment } from '../persist/segment.ts';
import { cleanUpAtEnd, makeTemporaryFolder } from './clean-up.ts';
import { MicroEngine } from './micro/engine.ts';
import { accountLookups, keyLookups, LOOKUPS_PER_CALL } from './micro/lookups.ts';

const FRAME_ROWS = 1_000;
const ACCOUNT_COUNT = 100_000;
const TABLE_SIZES: readonly number[] = [1_000_000, 10_000_000];
const BLOCK_BYTES: readonly number[] = [65_536, 1_048_576];
const TASK_MS = 1_000;
const SEGMENT_BYTES_MAX = 4_294_967_296;
const NS_PER_MS = 1_000_000;

/** Runs the tasks and prints nanoseconds an item. */
async function run(bench: Bench, itemCount: number): Promise<void> {
  await bench.run();
  for (const task of bench.tasks) {
    const { result } = task;
    if (!('latency' in result)) throw new Error(`Cannot measure ${task.name}: ${result.state}`);
    const { mean, rme } = result.latency;
    const each = ((mean * NS_PER_MS) / itemCount).toFixed(itemCount === 1 ? 0 : 1);
    console.log(`${task.name.padEnd(52)} ${each.padStart(12)} ns  ±${rme.toFixed(1)} %`);
  }
}

function makeBench(): Bench {
  return new Bench({ time: TASK_MS, warmupTime: TASK_MS / 4, throws: true });
}

async function measureEngine(): Promise<void> {
  const engine = new MicroEngine(ACCOUNT_COUNT);
  const bench = makeBench();
  // What is decoded is decided in the end: later frames hold wins of this frame's bets.
  const oneFrame = {
    beforeAll: () => {
      engine.nextFrame();
      engine.decodeFrame();
    },
    afterAll: () => engine.decideColumns(),
  };
  bench.add('decode a transaction', () => engine.decodeFrame(), oneFrame);
  bench.add('decide a transaction, record and index included', () => engine.decideColumns(), {
    beforeEach: () => {
      engine.nextFrame();
      engine.decodeFrame();
    },
  });
  const decision = new Decision(new KeyColumns());
  bench.add(
    'encode a record alone, as rare ones are',
    () => encodeRecords(engine, decision),
    oneFrame,
  );
  await run(bench, FRAME_ROWS);
}

function encodeRecords(engine: MicroEngine, decision: Decision): void {
  const { block, columns } = engine;
  block.reset();
  for (let row = 0; row < columns.count; row += 1) {
    decision.begin(columns.kind[row], columns.fields[row], 1_790_000_000_000, row);
    decision.accountRow = row * 90;
    decision.sequence = row + 1;
    decision.amountMinor = columns.amountMinor[row];
    decision.cashMovedMinor = -columns.amountMinor[row];
    decision.cashMinor = 999_999_000;
    writeRecord(block, decision, columns, row);
  }
}

async function measureLookups(): Promise<void> {
  for (const size of TABLE_SIZES) {
    const bench = makeBench();
    const entries = `${size / 1_000_000} M`;
    bench.add(`find an account among ${entries}, hash included`, accountLookups(size));
    bench.add(`find a key among ${entries}`, keyLookups(size));
    await run(bench, LOOKUPS_PER_CALL);
  }
}

async function measureCommit(): Promise<void> {
  const logFolder = join(makeTemporaryFolder(null), 'log');
  mkdirSync(logFolder);
  const segment = Segment.create({ logFolder, firstBlock: 1, segmentBytesMax: SEGMENT_BYTES_MAX });
  let blockNumber = 0;
  const bench = makeBench();
  for (const byteCount of BLOCK_BYTES) {
    const content = new Uint8Array(byteCount).fill(0x5a);
    bench.add(`commit a block of ${byteCount / 1_024} KiB, checksum included`, () => {
      content[0] = crc32(content) & 0xff;
      blockNumber += 1;
      segment.commit(() => segment.put(blockNumber, content));
    });
  }
  await run(bench, 1);
  segment.close();
}

cleanUpAtEnd();
await measureEngine();
await measureLookups();
await measureCommit();
