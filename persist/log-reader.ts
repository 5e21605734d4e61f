// Reads the log in order and checks all that can be checked without knowing the records: magic,
// version, both checksums, numbering, the chain of headers, times, sequences of each shard, and the
// segments' names. Any thread that holds no segment open; changes nothing on disk.
//
// What always holds: a block is given out only after every check on it and on all before it. The
// first thing that does not fit ends the reading with a DamagedLogError or an UnknownVersionError.
// What cannot be seen here: that whole segments are missing at the end of the log.
import { crc32 } from 'node:zlib';
import { assert } from '../core/assert.ts';
import { BLOCK_CONTENT_BYTES_MAX } from '../core/limits.ts';
import {
  BLOCK_FORMAT_VERSION,
  BLOCK_HEADER_BYTES,
  type BlockHeader,
  decodeBlockHeader,
  hex,
} from './block-header.ts';
import { DamagedLogError, UnknownVersionError } from './log-errors.ts';
import { Segment } from './segment.ts';
import { listSegments, segmentName } from './segment-list.ts';

/** The state of the log after its last block: what the next block has to fit to. Plain data. */
export interface LogEnd {
  /** 0 when there is no block. */
  readonly blockNumber: number;
  /** Header checksum of the last block; the folder's chain seed when there is none. */
  readonly headerChecksum: number;
  readonly timeMs: number;
  /** Last sequence of each shard, by its number; 0 or absent: none. */
  readonly sequences: readonly number[];
  /** First block of the last segment, even of an empty one; 0 when there is no segment. */
  readonly lastSegment: number;
  /** Bytes of the files of all segments. */
  readonly logBytes: number;
}

/** A checked block. The content is valid until the next block is asked for. */
export interface LogBlock {
  readonly header: BlockHeader;
  readonly content: Uint8Array;
  /** Name of the segment it lies in. */
  readonly segment: string;
}

/** What is read, and how. */
export interface ReadOptions {
  readonly logFolder: string;
  /** Reading starts with the block after this one; emptyLogEnd for the whole log. */
  readonly after: LogEnd;
  /** True in processes other than the server's. */
  readonly readOnly?: boolean;
}

/** Blocks between two renewals of the read transaction: far less than a second's work. */
const BLOCKS_PER_READ = 256;
const READ_MAP_BYTES = 1_073_741_824;

/** The end of a log that has no block yet. */
export function emptyLogEnd(chainSeed: number): LogEnd {
  return {
    blockNumber: 0,
    headerChecksum: chainSeed,
    timeMs: 0,
    sequences: [],
    lastSegment: 0,
    logBytes: 0,
  };
}

/** Gives out every block after `after`, checked; returns the log's end. */
export function* readBlocks(options: ReadOptions): Generator<LogBlock, LogEnd> {
  const checker = new ChainChecker(options.after);
  const segments = listSegments(options.logFolder);
  const startAt = findStart(segments, options.after.blockNumber + 1);
  let logBytes = 0;
  for (const [index, firstBlock] of segments.entries()) {
    const isLast = index === segments.length - 1;
    const segment = Segment.open({
      logFolder: options.logFolder,
      firstBlock,
      segmentBytesMax: READ_MAP_BYTES,
      readOnly: options.readOnly === true,
    });
    try {
      logBytes += segment.measureBytes();
      if (index >= startAt) yield* readSegment(segment, { checker, isLast });
    } finally {
      segment.close();
    }
  }
  return checker.end(segments.at(-1) ?? 0, logBytes);
}

/** Index of the segment that holds the block, or would; 0 leaves the complaint to the checks. */
function findStart(segments: readonly number[], blockNumber: number): number {
  const index = segments.findLastIndex((firstBlock) => firstBlock <= blockNumber);
  return Math.max(index, 0);
}

function* readSegment(
  segment: Segment,
  place: { readonly checker: ChainChecker; readonly isLast: boolean },
): Generator<LogBlock> {
  const { checker, isLast } = place;
  const { firstBlock, name } = segment;
  const isMiddle = firstBlock < checker.nextBlock;
  if (!isMiddle) checkFirst(segment, checker.nextBlock);
  for (;;) {
    const number = checker.nextBlock;
    const stored = segment.find(number);
    if (stored === undefined) break;
    yield checker.check(stored, name);
    if (number % BLOCKS_PER_READ === 0) segment.renewRead();
  }
  checkRest(segment, { nextBlock: checker.nextBlock, isLast });
}

/** The segment's name against the block that has to come, and against its own first block. */
function checkFirst(segment: Segment, nextBlock: number): void {
  const { firstBlock, name } = segment;
  if (firstBlock !== nextBlock) {
    throw new DamagedLogError({
      segment: name,
      block: nextBlock,
      expected: `segment ${segmentName(nextBlock)} at this place`,
      found: `segment ${name} (a segment is missing or was renamed)`,
    });
  }
  const first = segment.findNumberFrom(0);
  if (first === 0 || first === firstBlock) return;
  throw new DamagedLogError({
    segment: name,
    block: firstBlock,
    expected: `first block ${firstBlock} as the segment's name says`,
    found: first < 0 ? 'a key that is no block number' : `first block ${first}`,
  });
}

/** What the segment holds beside the row of blocks that was read. */
function checkRest(
  segment: Segment,
  place: { readonly nextBlock: number; readonly isLast: boolean },
): void {
  const { nextBlock, isLast } = place;
  const { firstBlock, name } = segment;
  const refuse = (expected: string, found: string): never => {
    throw new DamagedLogError({ segment: name, block: nextBlock, expected, found });
  };
  const following = segment.findNumberFrom(nextBlock);
  if (following > 0) refuse(`block ${nextBlock}`, `none; the next is block ${following}`);
  if (following < 0) refuse('block numbers as keys', 'a key that is no block number');
  const blockCount = nextBlock - firstBlock;
  if (segment.entryCount !== blockCount) {
    refuse(`${blockCount} blocks in the segment`, `${segment.entryCount} values`);
  }
  if (blockCount === 0 && !isLast) refuse(`block ${nextBlock}`, 'an empty segment before the last');
}

/** What the next block has to be, and whether it is. */
class ChainChecker {
  #blockNumber: number;
  #headerChecksum: number;
  #timeMs: number;
  readonly #sequences: number[];

  constructor(after: LogEnd) {
    this.#blockNumber = after.blockNumber;
    this.#headerChecksum = after.headerChecksum;
    this.#timeMs = after.timeMs;
    this.#sequences = [...after.sequences];
  }

  get nextBlock(): number {
    return this.#blockNumber + 1;
  }

  check(stored: Uint8Array, segment: string): LogBlock {
    const block = this.nextBlock;
    const refuse = (expected: string, found: string): never => {
      throw new DamagedLogError({ segment, block, expected, found });
    };
    const reading = decodeBlockHeader(stored);
    if (reading.kind === 'unknownVersion') {
      const part = `block ${block} of segment ${segment}`;
      throw new UnknownVersionError(part, { known: BLOCK_FORMAT_VERSION, found: reading.version });
    }
    if (reading.kind === 'damaged') return refuse(reading.expected, reading.found);
    const { header } = reading;
    this.#checkPlace(header, refuse);
    const content = stored.subarray(BLOCK_HEADER_BYTES);
    checkContent(header, content, refuse);
    this.#blockNumber = block;
    this.#headerChecksum = reading.checksum;
    this.#timeMs = header.timeMs;
    this.#sequences[header.shard] = header.firstSequence + header.recordCount - 1;
    return { header, content, segment };
  }

  end(lastSegment: number, logBytes: number): LogEnd {
    return {
      blockNumber: this.#blockNumber,
      headerChecksum: this.#headerChecksum,
      timeMs: this.#timeMs,
      sequences: Array.from(this.#sequences, (sequence) => sequence ?? 0),
      lastSegment,
      logBytes,
    };
  }

  #checkPlace(header: BlockHeader, refuse: Refuse): void {
    const block = this.nextBlock;
    if (header.blockNumber !== block) {
      const what = header.blockNumber < block ? 'repeated or reordered' : 'reordered';
      refuse(`block number ${block}`, `${header.blockNumber} (a block is ${what})`);
    }
    if (header.previousChecksum !== this.#headerChecksum) {
      const found = `${hex(header.previousChecksum)} (a block of another log, or one was replaced)`;
      refuse(`the previous header's checksum ${hex(this.#headerChecksum)}`, found);
    }
    if (header.timeMs < this.#timeMs) {
      refuse(`a time of at least ${this.#timeMs} ms`, `${header.timeMs} ms`);
    }
    const sequence = (this.#sequences[header.shard] ?? 0) + 1;
    if (header.firstSequence !== sequence) {
      refuse(`sequence ${sequence} of shard ${header.shard}`, `${header.firstSequence}`);
    }
    if (header.recordCount === 0) refuse('at least one record', 'none');
  }
}

type Refuse = (expected: string, found: string) => never;

function checkContent(header: BlockHeader, content: Uint8Array, refuse: Refuse): void {
  assert(content.byteLength >= 0, 'a content follows its header');
  if (header.contentBytes > BLOCK_CONTENT_BYTES_MAX) {
    refuse(`at most ${BLOCK_CONTENT_BYTES_MAX} bytes of content`, `${header.contentBytes}`);
  }
  if (content.byteLength !== header.contentBytes) {
    refuse(`${header.contentBytes} bytes of content`, `${content.byteLength}`);
  }
  const checksum = crc32(content);
  if (checksum !== header.contentChecksum) {
    refuse(`content checksum ${hex(header.contentChecksum)}`, hex(checksum));
  }
}
