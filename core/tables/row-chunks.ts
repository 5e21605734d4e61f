// Rows of a fixed number of 32-bit words in chunks of memory that are added one by one: growing
// copies nothing, and a row's number is its place for good. Owned by one thread.
import { assert } from '../assert.ts';
import type { FrameSource } from '../transaction-columns.ts';
import { PLAIN_MEMORY, type TableMemory } from './table-memory.ts';

const CHUNK_ROWS_BITS = 13;
const CHUNK_ROWS = 1 << CHUNK_ROWS_BITS;
const CHUNK_ROW_MASK = CHUNK_ROWS - 1;

/** The memory of one table. The words of a row lie together, to cost one or two cache lines. */
export class RowChunks {
  readonly #rowWords: number;
  readonly #memory: TableMemory;
  /** The next chunk: taken when the present one was begun, the first one with the table. */
  #spare: ArrayBufferLike;
  readonly #words: Int32Array[] = [];
  readonly #floats: Float64Array[] = [];
  readonly #sources: FrameSource[] = [];
  #rowCount = 0;
  #freeRow = -1;
  #freeCount = 0;

  /** A table that keeps doubles has rows of an even number of words, so that they are aligned. */
  constructor(rowWords: number, memory: TableMemory = PLAIN_MEMORY) {
    assert(rowWords > 0, 'a row has words');
    this.#rowWords = rowWords;
    this.#memory = memory;
    this.#spare = memory.take(this.#chunkBytes);
  }

  /** Rows in use. */
  get rowCount(): number {
    return this.#rowCount - this.#freeCount;
  }

  get byteCount(): number {
    return (this.#words.length + 1) * this.#chunkBytes;
  }

  /** A row's chunk as words; `at(row)` is its first word. */
  words(row: number): Int32Array {
    return this.#words[row >>> CHUNK_ROWS_BITS];
  }

  /** A row's chunk as doubles; `at(row) / 2` is its first double. */
  floats(row: number): Float64Array {
    return this.#floats[row >>> CHUNK_ROWS_BITS];
  }

  /** A row's chunk as bytes; `at(row) × 4` is its first. */
  source(row: number): FrameSource {
    return this.#sources[row >>> CHUNK_ROWS_BITS];
  }

  /** The row's first word in its chunk. */
  at(row: number): number {
    return (row & CHUNK_ROW_MASK) * this.#rowWords;
  }

  /**
   * Loads the first and last word of rows[from] to rows[until − 1], passing over numbers of no row,
   * so that what follows finds them in the cache. Next to nothing but loads: the processor looks
   * ahead some hundred instructions only, and what it sees it loads at the same time.
   */
  load(rows: Int32Array, from: number, until: number): number {
    const chunks = this.#words;
    const rowWords = this.#rowWords;
    const rowCount = this.#rowCount;
    let loaded = 0;
    for (let place = from; place < until; place += 1) {
      const row = rows[place];
      if (row < 0 || row >= rowCount) continue;
      const words = chunks[row >>> CHUNK_ROWS_BITS];
      const at = (row & CHUNK_ROW_MASK) * rowWords;
      loaded ^= words[at] ^ words[at + rowWords - 1];
    }
    return loaded;
  }

  /** A row to fill: a freed one with old content, or a new one of zeros. */
  allocate(): number {
    const freed = this.#freeRow;
    if (freed >= 0) {
      this.#freeRow = this.words(freed)[this.at(freed)];
      this.#freeCount -= 1;
      return freed;
    }
    const row = this.#rowCount;
    if (row >>> CHUNK_ROWS_BITS === this.#words.length) this.#addChunk();
    this.#rowCount += 1;
    return row;
  }

  /** New rows filled with words, row by row from row `from` on; returns the first's number. */
  append(words: Int32Array, from: number, count: number): number {
    const first = this.#rowCount;
    const rowWords = this.#rowWords;
    for (let done = 0; done < count; ) {
      const row = first + done;
      if (row >>> CHUNK_ROWS_BITS === this.#words.length) this.#addChunk();
      const taken = Math.min(count - done, CHUNK_ROWS - (row & CHUNK_ROW_MASK));
      const source = (from + done) * rowWords;
      this.words(row).set(words.subarray(source, source + taken * rowWords), this.at(row));
      done += taken;
    }
    this.#rowCount += count;
    return first;
  }

  /** Gives a row back; the last one freed is the next one allocated. */
  free(row: number): void {
    assert(row >= 0 && row < this.#rowCount, 'a freed row was allocated');
    this.words(row)[this.at(row)] = this.#freeRow;
    this.#freeRow = row;
    this.#freeCount += 1;
  }

  get #chunkBytes(): number {
    return CHUNK_ROWS * this.#rowWords * 4;
  }

  #addChunk(): void {
    const memory = this.#spare;
    this.#spare = this.#memory.take(this.#chunkBytes);
    this.#words.push(new Int32Array(memory));
    this.#floats.push(new Float64Array(memory, 0, memory.byteLength >>> 3));
    this.#sources.push({ bytes: new Uint8Array(memory), view: new DataView(memory) });
  }

  /** A copy of a row's words, to be restored later. */
  image(row: number): Int32Array {
    const at = this.at(row);
    return this.words(row).slice(at, at + this.#rowWords);
  }

  /** Puts a row back as it was when its image was taken. */
  restore(row: number, image: Int32Array): void {
    this.words(row).set(image, this.at(row));
  }
}
