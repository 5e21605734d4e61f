// A log in a temporary folder for the tests of persist: real files, real LMDB, the log writer run
// by the test's own thread one commit at a time, so that each state on disk can be looked at.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { allocateCommitPort, LaneBlocks, WriterBlocks } from '../../persist/commit-port.ts';
import { chainSeedOf, logFolderOf, openDataFolder } from '../../persist/data-folder.ts';
import { emptyLogEnd, type LogEnd } from '../../persist/log-chain.ts';
import { readBlocks } from '../../persist/log-reader.ts';
import { LogWriter } from '../../persist/log-writer.ts';
import { allocateWriterCounters, WriterCounters } from '../../persist/writer-counters.ts';

/** A block as a test wrote or read it. */
export interface TestBlock {
  readonly blockNumber: number;
  readonly lane: number;
  readonly recordCount: number;
  readonly firstSequence: number;
  readonly timeMs: number;
  readonly content: Uint8Array;
}

/** A fresh temporary folder. */
export function makeTemporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'kassa-persist-'));
}

/** Reads the whole log of a data folder with all checks. */
export function readLog(folder: string): { blocks: TestBlock[]; end: LogEnd } {
  const after = emptyLogEnd(chainSeedOf(openDataFolder(folder, 1)));
  const reading = readBlocks({ logFolder: logFolderOf(folder), after });
  const blocks: TestBlock[] = [];
  for (;;) {
    const next = reading.next();
    if (next.done === true) return { blocks, end: next.value };
    const { header, content } = next.value;
    const { blockNumber, lane, recordCount, firstSequence, timeMs } = header;
    blocks.push({
      blockNumber,
      lane,
      recordCount,
      firstSequence,
      timeMs,
      content: Uint8Array.from(content),
    });
  }
}

/** Opens a segment as lmdb sees it, behind the log's back, to damage it. */
export function openSegmentRaw(folder: string, segment: string): RootDatabase<Buffer, Buffer> {
  return open<Buffer, Buffer>(join(logFolderOf(folder), segment), {
    noSubdir: false,
    keyEncoding: 'binary',
    encoding: 'binary',
    compression: false,
    cache: false,
    maxDbs: 1,
    noMemInit: false,
    overlappingSync: false,
  });
}

/** A block number as the key that it is stored under. */
export function blockKey(blockNumber: number): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(BigInt(blockNumber));
  return key;
}

/** A log that is being written. */
export class TestLog {
  readonly folder: string;
  readonly lanes: LaneBlocks[];
  readonly ports: SharedArrayBuffer[];
  readonly counters: SharedArrayBuffer = allocateWriterCounters();
  readonly #writer: LogWriter;
  readonly #sequences: number[];

  constructor(options: {
    readonly folder: string;
    readonly segmentBytesMax?: number;
    readonly lanes?: number;
  }) {
    this.folder = options.folder;
    const laneCount = options.lanes ?? 1;
    openDataFolder(options.folder, 1);
    const { end } = readLog(options.folder);
    this.ports = Array.from({ length: laneCount }, () => allocateCommitPort());
    const [bellPort] = this.ports;
    this.lanes = this.ports.map(
      (port) =>
        new LaneBlocks(port, {
          resumePosition: end.blockNumber,
          ...(bellPort === undefined ? {} : { bellPort }),
        }),
    );
    this.#sequences = this.ports.map((_, lane) => end.sequences[lane] ?? 0);
    this.#writer = new LogWriter({
      logFolder: logFolderOf(options.folder),
      segmentBytesMax: options.segmentBytesMax ?? 1_048_576,
      ports: this.ports.map((port) => new WriterBlocks(port)),
      resume: end,
      counters: new WriterCounters(this.counters),
    });
  }

  /** Hands a block of pseudo-random content over; commits nothing. */
  handOver(block: {
    readonly bytes: number;
    readonly records?: number;
    readonly timeMs?: number;
    readonly lane?: number;
  }): void {
    const lane = block.lane ?? 0;
    const content = this.lanes[lane]?.open();
    if (!content) throw new Error('the test handed over more blocks than there are buffers');
    const sequence = this.#sequences[lane] ?? 0;
    for (let at = 0; at < block.bytes; at++) content.bytes[at] = (at * 31 + sequence * 7) & 0xff;
    content.usedBytes = block.bytes;
    content.recordCount = block.records ?? 1;
    content.firstSequence = sequence + 1;
    content.lastTimeMs = block.timeMs ?? 1_000;
    this.#sequences[lane] = sequence + content.recordCount;
    this.lanes[lane]?.handOver();
  }

  /** Hands over a block that a shard wrote; commits nothing. */
  handOverRecords(
    block: { readonly content: Uint8Array; readonly recordCount: number },
    timeMs: number,
  ): void {
    const open = this.lanes[0]?.open();
    if (!open) throw new Error('the test handed over more blocks than there are buffers');
    const sequence = this.#sequences[0] ?? 0;
    open.bytes.set(block.content);
    open.usedBytes = block.content.byteLength;
    open.recordCount = block.recordCount;
    open.firstSequence = sequence + 1;
    open.lastTimeMs = timeMs;
    this.#sequences[0] = sequence + block.recordCount;
    this.lanes[0]?.handOver();
  }

  /** Commits what was handed over; returns how many blocks that were. */
  commit(): number {
    return this.#writer.commitReady();
  }

  /** Blocks of one size, each committed on its own. */
  append(blockCount: number, bytes: number = 500): void {
    for (let block = 0; block < blockCount; block++) {
      this.handOver({ bytes, records: 2 });
      this.commit();
    }
  }

  close(): void {
    this.#writer.close();
  }
}

/** Removes a test's folder. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
