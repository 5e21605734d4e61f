// Keeps received frames until they are decided. The bytes that the socket library hands out are
// valid only inside its callback, so they are copied, once, one behind the other into large chunks:
// small frames of many connections share a chunk and cost no object each. A chunk is used again
// when the last request in it was decided. Lane's thread only; a crash leaves nothing.
import { assert } from '../../core/assert.ts';
import type { FrameSource } from '../../core/transaction-columns.ts';
import { INBOX_BYTES_MAX, INBOX_CHUNK_BYTES } from './lane-limits.ts';

/** Memory that holds frames; `requestCount` of them are not decided yet. */
export interface InboxChunk extends FrameSource {
  usedBytes: number;
  requestCount: number;
}

const FREE_CHUNKS_KEPT = 16;

/** The chunks of one lane. */
export class Inbox {
  #open: InboxChunk = newChunk(INBOX_CHUNK_BYTES);
  readonly #free: InboxChunk[] = [];
  #heldBytes = INBOX_CHUNK_BYTES;

  /** Memory of all chunks that hold something. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether a frame of this size may be stored (law 8). */
  hasRoomFor(byteCount: number): boolean {
    return this.#heldBytes + Math.max(byteCount, INBOX_CHUNK_BYTES) <= INBOX_BYTES_MAX;
  }

  /**
   * Copies the frame; it ends at `usedBytes` of the returned chunk, which counts one more request
   * until `release`.
   */
  store(frame: Uint8Array): InboxChunk {
    const chunk = this.#chunkFor(frame.byteLength);
    chunk.bytes.set(frame, chunk.usedBytes);
    chunk.usedBytes += frame.byteLength;
    chunk.requestCount += 1;
    return chunk;
  }

  /** Says that a request of the chunk is decided and its bytes are not needed any more. */
  release(chunk: InboxChunk): void {
    assert(chunk.requestCount > 0, 'a request is released once');
    chunk.requestCount -= 1;
    if (chunk.requestCount > 0) return;
    chunk.usedBytes = 0;
    if (chunk === this.#open) return;
    this.#heldBytes -= chunk.bytes.byteLength;
    const usual = chunk.bytes.byteLength === INBOX_CHUNK_BYTES;
    if (usual && this.#free.length < FREE_CHUNKS_KEPT) this.#free.push(chunk);
  }

  #chunkFor(byteCount: number): InboxChunk {
    if (byteCount > INBOX_CHUNK_BYTES) {
      this.#heldBytes += byteCount;
      return newChunk(byteCount);
    }
    if (this.#open.usedBytes + byteCount > INBOX_CHUNK_BYTES) {
      assert(this.#open.requestCount > 0, 'a full chunk holds a request');
      this.#open = this.#free.pop() ?? newChunk(INBOX_CHUNK_BYTES);
      this.#heldBytes += INBOX_CHUNK_BYTES;
    }
    return this.#open;
  }
}

function newChunk(byteCount: number): InboxChunk {
  const bytes = new Uint8Array(byteCount);
  return { bytes, view: new DataView(bytes.buffer), usedBytes: 0, requestCount: 0 };
}
