// The log writer: takes whatever blocks are ready in all lanes, gives them their numbers in the one
// order, commits them in one LMDB transaction, and only then tells the lanes (design sections 2,
// 6). Owned by the log writer's thread; nothing else writes to the log.
//
// What always holds: the numbers have no gap, each header carries the checksum of the one before,
// and a lane hears of a block only after its commit returned. A crash leaves a prefix of the
// commits; after a commit that failed nothing here may run again, not even close().
import { assert, InvariantError } from '../core/assert.ts';
import { BLOCK_CONTENT_BYTES_MAX, BLOCKS_PER_LANE } from '../core/limits.ts';
import { BLOCK_HEADER_BYTES, encodeBlockHeader } from './block-header.ts';
import type { HandedBlock, WriterBlocks } from './commit-port.ts';
import type { LogEnd } from './log-chain.ts';
import { removeUnfinishedSegments, Segment } from './segment.ts';
import type { WriterCounters } from './writer-counters.ts';

const PAGE_BYTES = 4_096;
/** LMDB's own header on the first page of a large value. */
const PAGE_HEADER_BYTES = 16;

/** What a log writer writes, and where. */
export interface LogWriterSettings {
  readonly logFolder: string;
  /** A segment is closed before it would grow beyond this; one commit always fits a new one. */
  readonly segmentBytesMax: number;
  /** By lane; lane and shard have the same number. */
  readonly ports: readonly WriterBlocks[];
  /** What replay returned. */
  readonly resume: LogEnd;
  readonly counters: WriterCounters;
}

/** The error of a commit: the process stops with ExitCode.commitFailed. */
export class CommitFailedError extends Error {
  override readonly name = 'CommitFailedError';
}

/** The one appender of a log. */
export class LogWriter {
  readonly #settings: LogWriterSettings;
  /** A block as it is stored, in plain memory: lmdb was seen to store other bytes from shared. */
  readonly #stored: Uint8Array = new Uint8Array(BLOCK_HEADER_BYTES + BLOCK_CONTENT_BYTES_MAX);
  readonly #readyCounts: Uint8Array;
  readonly #sequences: number[];
  #segment: Segment | null = null;
  #isFailed = false;
  #segmentBytes = 0;
  #closedSegmentsBytes: number;
  #blockNumber: number;
  #headerChecksum: number;
  #timeMs: number;

  constructor(settings: LogWriterSettings) {
    const { resume, ports, counters } = settings;
    assert(ports.length > 0, 'a log writer has a lane');
    this.#settings = settings;
    this.#readyCounts = new Uint8Array(ports.length);
    this.#blockNumber = resume.blockNumber;
    this.#headerChecksum = resume.headerChecksum;
    this.#timeMs = resume.timeMs;
    this.#sequences = ports.map((_, shard) => resume.sequences[shard] ?? 0);
    removeUnfinishedSegments(settings.logFolder);
    if (resume.lastSegment > 0) {
      this.#segment = Segment.open(this.#segmentOptions(resume.lastSegment));
      this.#segmentBytes = this.#segment.measureBytes();
    }
    this.#closedSegmentsBytes = Math.max(resume.logBytes - this.#segmentBytes, 0);
    counters.setStart({
      position: resume.blockNumber,
      timeMs: resume.timeMs,
      logBytes: this.#closedSegmentsBytes + this.#segmentBytes,
    });
  }

  /** Commits and publishes all blocks that are ready now; returns how many. */
  commitReady(): number {
    const { ports } = this.#settings;
    try {
      let blockCount = 0;
      for (const [lane, port] of ports.entries()) {
        const readyCount = port.startTaking();
        this.#readyCounts[lane] = readyCount;
        blockCount += readyCount;
      }
      if (blockCount > 0) this.#commit();
      return blockCount;
    } finally {
      for (const port of ports) port.finishTaking();
    }
  }

  /** Closes the segment after the last commit. Never after a failed one. */
  close(): void {
    this.#segment?.close();
    this.#segment = null;
  }

  #commit(): void {
    const startedAtMs = performance.now();
    const firstBlock = this.#blockNumber + 1;
    assert(!this.#isFailed, 'nothing is written after a failed commit');
    try {
      const segment = this.#segmentFor(this.#measureReady());
      segment.commit(() => this.#putReady(segment));
    } catch (cause) {
      this.#isFailed = true;
      if (cause instanceof InvariantError) throw cause;
      throw new CommitFailedError(
        `Cannot commit block ${firstBlock} and following to the log because the disk or LMDB ` +
          `refused: ${String(cause)}. Check space and health of the disk, then start again; what ` +
          'was not committed was not answered, and the log is whole up to the block before.',
        { cause },
      );
    }
    this.#settings.counters.countCommit({
      milliseconds: performance.now() - startedAtMs,
      position: this.#blockNumber,
      timeMs: this.#timeMs,
      logBytes: this.#closedSegmentsBytes + this.#segmentBytes,
    });
    this.#publish(firstBlock);
  }

  /** Bytes in the file that the ready blocks will take, at most but for a few tree pages. */
  #measureReady(): number {
    let bytes = 0;
    for (const [lane, port] of this.#settings.ports.entries()) {
      for (let index = 0; index < (this.#readyCounts[lane] ?? 0); index++) {
        const { content } = port.block(index);
        const storedBytes = BLOCK_HEADER_BYTES + content.byteLength + PAGE_HEADER_BYTES;
        bytes += Math.ceil(storedBytes / PAGE_BYTES) * PAGE_BYTES;
      }
    }
    return bytes;
  }

  #putReady(segment: Segment): void {
    for (const [lane, port] of this.#settings.ports.entries()) {
      for (let index = 0; index < (this.#readyCounts[lane] ?? 0); index++) {
        this.#putBlock(segment, lane, port.block(index));
      }
    }
  }

  #putBlock(segment: Segment, lane: number, block: HandedBlock): void {
    const { content, recordCount, firstSequence } = block;
    assert(firstSequence === (this.#sequences[lane] ?? 0) + 1, 'a shard’s sequence has no gap');
    this.#blockNumber++;
    this.#timeMs = Math.max(this.#timeMs, block.lastTimeMs);
    this.#sequences[lane] = firstSequence + recordCount - 1;
    this.#stored.set(content, BLOCK_HEADER_BYTES);
    this.#headerChecksum = encodeBlockHeader(
      {
        lane,
        shard: lane,
        recordCount,
        blockNumber: this.#blockNumber,
        firstSequence,
        timeMs: this.#timeMs,
        contentBytes: content.byteLength,
        contentChecksum: block.contentChecksum,
        previousChecksum: this.#headerChecksum,
      },
      this.#stored,
    );
    const storedBytes = BLOCK_HEADER_BYTES + content.byteLength;
    segment.put(this.#blockNumber, this.#stored.subarray(0, storedBytes));
    this.#settings.counters.countBlock(recordCount, content.byteLength);
  }

  #publish(firstBlock: number): void {
    let position = firstBlock;
    for (const [lane, port] of this.#settings.ports.entries()) {
      const readyCount = this.#readyCounts[lane] ?? 0;
      assert(readyCount <= BLOCKS_PER_LANE, 'a lane has no more blocks than buffers');
      if (readyCount === 0) continue;
      port.publish(Array.from({ length: readyCount }, () => position++));
    }
    assert(position === this.#blockNumber + 1, 'every committed block is published');
  }

  /** The open segment, or a new one when this commit would not fit it. */
  #segmentFor(commitBytes: number): Segment {
    const { segmentBytesMax } = this.#settings;
    let segment = this.#segment;
    if (segment !== null && this.#segmentBytes + commitBytes > segmentBytesMax) {
      // The sum of what was added is above the truth for small blocks, which share pages.
      this.#segmentBytes = segment.measureBytes();
      const isEmpty = segment.firstBlock === this.#blockNumber + 1;
      if (!isEmpty && this.#segmentBytes + commitBytes > segmentBytesMax) {
        this.#closedSegmentsBytes += this.#segmentBytes;
        segment.close();
        segment = null;
      }
    }
    if (segment === null) {
      segment = Segment.create(this.#segmentOptions(this.#blockNumber + 1));
      this.#segmentBytes = segment.measureBytes();
      this.#settings.counters.countSegment();
    }
    this.#segmentBytes += commitBytes;
    this.#segment = segment;
    return segment;
  }

  #segmentOptions(firstBlock: number): {
    logFolder: string;
    firstBlock: number;
    segmentBytesMax: number;
  } {
    const { logFolder, segmentBytesMax } = this.#settings;
    return { logFolder, firstBlock, segmentBytesMax };
  }
}
