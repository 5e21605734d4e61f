// The bytes of ids that tables keep, behind one another in chunks; an id never spans two chunks.
// Append-only, but for the undo of the last one. Owned by one thread.
import { assert } from '../assert.ts';
import type { FrameSource } from '../transaction-columns.ts';

const CHUNK_BITS = 20;
const CHUNK_BYTES = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_BYTES - 1;
const PLACES_MAX = 4_294_967_296;

/** An append-only store of texts of 1 to 255 bytes, each behind a byte with its length. */
export class IdBytes {
  readonly #chunks: FrameSource[] = [];
  #end = 0;

  /** Whether places stay within 32 bits, as the rows keep them, if one more chunk is begun. */
  get hasRoom(): boolean {
    return this.byteCount + CHUNK_BYTES <= PLACES_MAX;
  }

  get byteCount(): number {
    return this.#chunks.length * CHUNK_BYTES;
  }

  /** Stores a copy and returns its place. Places pass 2^31; they are kept as unsigned words. */
  append(source: FrameSource, at: number, byteCount: number): number {
    assert(byteCount >= 1 && byteCount <= 255, 'a stored id has 1 to 255 bytes');
    if (this.byteCount - this.#end < byteCount + 1) {
      const bytes = new Uint8Array(CHUNK_BYTES);
      this.#end = this.#chunks.length * CHUNK_BYTES;
      this.#chunks.push({ bytes, view: new DataView(bytes.buffer) });
    }
    const place = this.#end;
    const bytes = this.source(place).bytes;
    const start = place & CHUNK_MASK;
    bytes[start] = byteCount;
    for (let offset = 0; offset < byteCount; offset += 1) {
      bytes[start + 1 + offset] = source.bytes[at + offset];
    }
    this.#end = place + byteCount + 1;
    return place;
  }

  /** The chunk that holds the text at a place. */
  source(place: number): FrameSource {
    return this.#chunks[Math.floor(place / CHUNK_BYTES)];
  }

  /** Where the text at a place starts in its chunk. */
  textAt(place: number): number {
    return (place & CHUNK_MASK) + 1;
  }

  /** The length of the text at a place. */
  textBytes(place: number): number {
    return this.source(place).bytes[place & CHUNK_MASK];
  }

  /** Whether the text at a place equals the given bytes. */
  equals(place: number, source: FrameSource, at: number, byteCount: number): boolean {
    const stored = this.source(place);
    const start = (place & CHUNK_MASK) + 1;
    if (stored.bytes[start - 1] !== byteCount) return false;
    const wholeBytes = byteCount & ~3;
    let offset = 0;
    for (; offset < wholeBytes; offset += 4) {
      if (stored.view.getInt32(start + offset) !== source.view.getInt32(at + offset)) return false;
    }
    for (; offset < byteCount; offset += 1) {
      if (stored.bytes[start + offset] !== source.bytes[at + offset]) return false;
    }
    return true;
  }
}
