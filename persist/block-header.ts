// The header that the log writer puts before a block's records. A format without I/O; any thread.
//
//   offset bytes field (little endian)
//    0      4    magic "KASB"
//    4      2    format version
//    6      2    bytes of this header; the last four are always its checksum, in every version
//    8      2    lane that wrote the block
//   10      2    shard whose records it holds
//   12      4    record count, 1 or more
//   16      8    block number: the position in the one order, from 1 without gaps
//   24      8    sequence of the first record in its shard
//   32      8    time in ms: not below any record's in the block, nor below the last block's
//   40      4    bytes of content that follow
//   44      4    CRC-32 of the content
//   48      4    header checksum of the block before (the chain), of block 1: the folder's seed
//   52      4    header checksum: CRC-32 of bytes 0 to 51
//
// The first three bytes of a value must not be 01 01 01: lmdb-js takes those for an order to
// itself.
import { crc32 } from 'node:zlib';
import { assert } from '../core/assert.ts';
import { BLOCK_CONTENT_BYTES_MAX } from '../core/limits.ts';
import { RECORD_FORMAT_VERSION } from '../core/records/record-layout.ts';

/** Version of header and records that this program writes, and the only one it reads. */
export const BLOCK_FORMAT_VERSION: number = RECORD_FORMAT_VERSION;

/** Bytes of the header of version 2. */
export const BLOCK_HEADER_BYTES = 56;

const MAGIC = 0x4253414b; // "KASB" read as a little-endian word
const CHECKSUM_BYTES = 4;

/** What a header says. Numbers are whole; block number, sequence and time up to 2^53 − 1. */
export interface BlockHeader {
  readonly lane: number;
  readonly shard: number;
  readonly recordCount: number;
  readonly blockNumber: number;
  readonly firstSequence: number;
  readonly timeMs: number;
  readonly contentBytes: number;
  readonly contentChecksum: number;
  readonly previousChecksum: number;
}

/** A decoded header and its own checksum, or what is wrong with it. */
export type HeaderReading =
  | { readonly kind: 'header'; readonly header: BlockHeader; readonly checksum: number }
  | { readonly kind: 'unknownVersion'; readonly version: number }
  | { readonly kind: 'damaged'; readonly expected: string; readonly found: string };

/** Writes a header to the first 56 bytes of the target; returns its checksum, the chain's next. */
export function encodeBlockHeader(header: BlockHeader, target: Uint8Array): number {
  assert(target.byteLength >= BLOCK_HEADER_BYTES, 'the target holds a header');
  assert(header.recordCount > 0, 'a block holds at least one record');
  assert(header.contentBytes <= BLOCK_CONTENT_BYTES_MAX, 'a block keeps to its largest size');
  const view = new DataView(target.buffer, target.byteOffset, BLOCK_HEADER_BYTES);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, BLOCK_FORMAT_VERSION, true);
  view.setUint16(6, BLOCK_HEADER_BYTES, true);
  view.setUint16(8, header.lane, true);
  view.setUint16(10, header.shard, true);
  view.setUint32(12, header.recordCount, true);
  setWhole(view, 16, header.blockNumber);
  setWhole(view, 24, header.firstSequence);
  setWhole(view, 32, header.timeMs);
  view.setUint32(40, header.contentBytes, true);
  view.setUint32(44, header.contentChecksum, true);
  view.setUint32(48, header.previousChecksum, true);
  const checksum = crc32(target.subarray(0, BLOCK_HEADER_BYTES - CHECKSUM_BYTES));
  view.setUint32(52, checksum, true);
  return checksum;
}

/** Reads and checks the header of a stored block on its own; its place in the log is not judged. */
export function decodeBlockHeader(stored: Uint8Array): HeaderReading {
  if (stored.byteLength < BLOCK_HEADER_BYTES) {
    return damaged(`at least ${BLOCK_HEADER_BYTES} bytes of header`, `${stored.byteLength}`);
  }
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  const magic = view.getUint32(0, true);
  if (magic !== MAGIC) return damaged(`magic ${hex(MAGIC)}`, hex(magic));
  // The checksum comes before the version: a flipped bit must not pass for a newer format.
  const headerBytes = view.getUint16(6, true);
  if (headerBytes < 8 + CHECKSUM_BYTES || headerBytes > stored.byteLength) {
    return damaged(`header of ${BLOCK_HEADER_BYTES} bytes`, `${headerBytes}`);
  }
  const checksumAt = headerBytes - CHECKSUM_BYTES;
  const checksum = view.getUint32(checksumAt, true);
  const computed = crc32(stored.subarray(0, checksumAt));
  if (checksum !== computed) return damaged(`header checksum ${hex(checksum)}`, hex(computed));
  const version = view.getUint16(4, true);
  if (version !== BLOCK_FORMAT_VERSION) return { kind: 'unknownVersion', version };
  if (headerBytes !== BLOCK_HEADER_BYTES) {
    return damaged(`header of ${BLOCK_HEADER_BYTES} bytes`, `${headerBytes}`);
  }
  return { kind: 'header', header: readFields(view), checksum };
}

/** A checksum as it stands in messages: eight hexadecimal digits. */
export function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

function readFields(view: DataView): BlockHeader {
  return {
    lane: view.getUint16(8, true),
    shard: view.getUint16(10, true),
    recordCount: view.getUint32(12, true),
    blockNumber: getWhole(view, 16),
    firstSequence: getWhole(view, 24),
    timeMs: getWhole(view, 32),
    contentBytes: view.getUint32(40, true),
    contentChecksum: view.getUint32(44, true),
    previousChecksum: view.getUint32(48, true),
  };
}

// Two 32-bit halves: a BigInt for each of three fields would be garbage a million times a replay.
function setWhole(view: DataView, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'a header field is a whole number');
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}

function getWhole(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

function damaged(expected: string, found: string): HeaderReading {
  return { kind: 'damaged', expected, found };
}
