// Whether a block is the next one of the log: magic, version, both checksums, number, chain, time,
// and the sequence of its shard. Whoever reads the log, from the start or behind the log writer,
// has one; it keeps what the next block has to fit to and touches no disk.
//
// What always holds: a block is given out only after every check on it and on all before it. The
// first thing that does not fit is a DamagedLogError or an UnknownVersionError.
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

/** What the next block has to be, and whether it is. */
export class ChainChecker {
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

  /** Number of the block that has to come. */
  get nextBlock(): number {
    return this.#blockNumber + 1;
  }

  /** The stored block, checked; throws when it is not the next. */
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

  /** Where the log ends for now. */
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
