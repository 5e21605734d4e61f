// The block header's format: what is written is read, and nothing damaged is taken for a header.
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { BLOCK_CONTENT_BYTES_MAX } from '../../core/limits.ts';
import {
  BLOCK_HEADER_BYTES,
  type BlockHeader,
  decodeBlockHeader,
  encodeBlockHeader,
} from '../../persist/block-header.ts';

const HEADER: BlockHeader = {
  lane: 3,
  shard: 2,
  recordCount: 1_000,
  blockNumber: 7_000_000_000,
  firstSequence: 2 ** 53 - 1,
  timeMs: 1_790_000_000_123,
  contentBytes: 77_000,
  contentChecksum: 0xfedcba98,
  previousChecksum: 0x80000001,
};

function encoded(header: BlockHeader): Uint8Array {
  const bytes = new Uint8Array(BLOCK_HEADER_BYTES);
  encodeBlockHeader(header, bytes);
  return bytes;
}

describe('block header', () => {
  test('what was written is read back, numbers above 2^32 too', () => {
    const bytes = encoded(HEADER);
    const checksum = crc32(bytes.subarray(0, 52));
    expect(decodeBlockHeader(bytes)).toEqual({ kind: 'header', header: HEADER, checksum });
  });

  test('the byte table of LOG-FORMAT.md holds', () => {
    const view = new DataView(encoded(HEADER).buffer);
    expect(Buffer.from(view.buffer, 0, 4).toString()).toBe('KASB');
    expect(view.getUint16(4, true)).toBe(2);
    expect(view.getUint16(6, true)).toBe(56);
    expect(view.getUint16(8, true)).toBe(3);
    expect(view.getUint16(10, true)).toBe(2);
    expect(view.getUint32(12, true)).toBe(1_000);
    expect(view.getBigUint64(16, true)).toBe(7_000_000_000n);
    expect(view.getBigUint64(24, true)).toBe(2n ** 53n - 1n);
    expect(view.getBigUint64(32, true)).toBe(1_790_000_000_123n);
    expect(view.getUint32(40, true)).toBe(77_000);
    expect(view.getUint32(44, true)).toBe(0xfedcba98);
    expect(view.getUint32(48, true)).toBe(0x80000001);
  });

  test('every single flipped bit is found', () => {
    for (let bit = 0; bit < BLOCK_HEADER_BYTES * 8; bit++) {
      const bytes = encoded(HEADER);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeBlockHeader(bytes).kind, `bit ${bit}`).toBe('damaged');
    }
  });

  test('a newer version with a right checksum is an unknown version, not damage', () => {
    const bytes = encoded(HEADER);
    const view = new DataView(bytes.buffer);
    view.setUint16(4, 3, true);
    view.setUint32(52, crc32(bytes.subarray(0, 52)), true);
    expect(decodeBlockHeader(bytes)).toEqual({ kind: 'unknownVersion', version: 3 });
  });

  test('fewer bytes than a header are damage', () => {
    for (const length of [0, 1, BLOCK_HEADER_BYTES - 1]) {
      expect(decodeBlockHeader(encoded(HEADER).subarray(0, length)).kind).toBe('damaged');
    }
  });

  test('a block without records or beyond its largest size is not written', () => {
    expect(() => encoded({ ...HEADER, recordCount: 0 })).toThrow(/at least one record/);
    const contentBytes = BLOCK_CONTENT_BYTES_MAX + 1;
    expect(() => encoded({ ...HEADER, contentBytes })).toThrow(/largest size/);
    expect(() => encoded({ ...HEADER, blockNumber: 2 ** 53 })).toThrow(/whole number/);
  });
});
