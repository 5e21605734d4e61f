// The open block of a lane as the core sees it: a run of bytes to append records to. The memory is
// the caller's (shared with the log writer, or plain in tests and tools).
import { assert } from './assert.ts';
import { BLOCK_CONTENT_BYTES_MAX, RECORD_BYTES_MAX } from './limits.ts';

/** Records appended to one block so far. Owned by the shard's thread until it is handed over. */
export class BlockContent {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  usedBytes = 0;
  recordCount = 0;
  /** Sequence of the block's first record; meaningless while recordCount is 0. */
  firstSequence = 0;
  /** Time of the block's last record in ms; the next record stores the difference to it. */
  lastTimeMs = 0;

  constructor(bytes: Uint8Array) {
    assert(
      bytes.byteLength === BLOCK_CONTENT_BYTES_MAX,
      'a block buffer has the size of limits.ts',
    );
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Makes the buffer ready for a new block. */
  reset(): void {
    this.usedBytes = 0;
    this.recordCount = 0;
    this.firstSequence = 0;
    this.lastTimeMs = 0;
  }

  /** Whether this many more records fit, whatever they hold (but for definitions). */
  hasRoomFor(recordCount: number): boolean {
    return this.usedBytes + recordCount * RECORD_BYTES_MAX <= this.bytes.byteLength;
  }
}
