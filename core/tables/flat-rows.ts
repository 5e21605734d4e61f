// Rows of a fixed number of 32-bit words, one behind the other in memory that grows: a row's number
// is its place for good. One flat piece, since a directory of chunks makes each access wait for two
// more loads and doubles what an access ahead costs (111 ns a row against 54, 48 MB at random).
// Owned by one thread.
import { assert } from '../assert.ts';
import type { FrameSource } from '../transaction-columns.ts';
import { type GrowingMemory, PLAIN_MEMORY } from './table-memory.ts';

/** Rows that are added at a time. */
const STEP_ROWS = 8_192;
/** Rows that are taken ahead of need: 20 ms of a replay, in which their pages can be made. */
const AHEAD_ROWS: number = 4 * STEP_ROWS;

/** The most that a table has: places in words are worked with in 32 bits. */
export const TABLE_BYTES_MAX: number = 2 ** 34;

/**
 * The memory of one table. The words of a row lie together, to cost one or two cache lines. The
 * three views are to be read anew behind whatever adds rows: a new row may be beyond one that
 * was taken before, and what is written then may be in other memory than it shows.
 */
export class FlatRows {
  readonly #rowWords: number;
  readonly #memory: GrowingMemory;
  #words: Int32Array = NO_WORDS;
  #doubles: Float64Array = NO_DOUBLES;
  #source: FrameSource = NO_SOURCE;
  /** Rows that have memory, but for those that are taken ahead. */
  #capacityRows = 0;
  #rowCount = 0;
  #freeRow = -1;
  #freeCount = 0;

  /** A table that keeps doubles has rows of an even number of words, so that they are aligned. */
  constructor(rowWords: number, memory: GrowingMemory = PLAIN_MEMORY.take(TABLE_BYTES_MAX)) {
    assert(rowWords > 0, 'a row has words');
    assert(memory.byteCountMax <= TABLE_BYTES_MAX, 'places of words have 32 bits');
    this.#rowWords = rowWords;
    this.#memory = memory;
    this.#growTo(0);
  }

  /** Rows in use. */
  get rowCount(): number {
    return this.#rowCount - this.#freeCount;
  }

  get byteCount(): number {
    return (this.#capacityRows + AHEAD_ROWS) * this.#rowWords * 4;
  }

  /** All rows as words; `at(row)` is a row's first. */
  get words(): Int32Array {
    return this.#words;
  }

  /** All rows as doubles; `at(row) / 2` is a row's first. */
  get doubles(): Float64Array {
    return this.#doubles;
  }

  /** All rows as bytes; `at(row) × 4` is a row's first. */
  get source(): FrameSource {
    return this.#source;
  }

  /** A row's first word. */
  at(row: number): number {
    return row * this.#rowWords;
  }

  /**
   * Loads the first and last word of rows[from] to rows[until − 1], passing over numbers of no row,
   * so that what follows finds them in the cache. Next to nothing but loads: the processor looks
   * ahead some hundred instructions only, and what it sees it loads at the same time.
   */
  load(rows: Int32Array, from: number, until: number): number {
    const words = this.#words;
    const rowWords = this.#rowWords;
    const rowCount = this.#rowCount;
    let loaded = 0;
    for (let place = from; place < until; place += 1) {
      const row = rows[place];
      if (row < 0 || row >= rowCount) continue;
      const at = row * rowWords;
      loaded ^= words[at] ^ words[at + rowWords - 1];
    }
    return loaded;
  }

  /** A row to fill: a freed one with old content, or a new one of zeros. */
  allocate(): number {
    const freed = this.#freeRow;
    if (freed >= 0) {
      this.#freeRow = this.#words[this.at(freed)];
      this.#freeCount -= 1;
      return freed;
    }
    const row = this.#rowCount;
    if (row === this.#capacityRows) this.#growTo(row + 1);
    this.#rowCount += 1;
    return row;
  }

  /** New rows filled with words, from row `from` of them on; returns the first's number. */
  append(words: Int32Array, from: number, count: number): number {
    const first = this.#rowCount;
    if (first + count > this.#capacityRows) this.#growTo(first + count);
    const rowWords = this.#rowWords;
    this.#words.set(words.subarray(from * rowWords, (from + count) * rowWords), this.at(first));
    this.#rowCount += count;
    return first;
  }

  /** Takes memory for further rows, for a kernel that fills some of them by itself. */
  makeRoom(count: number): void {
    if (this.#rowCount + count > this.#capacityRows) this.#growTo(this.#rowCount + count);
  }

  /** Tells of rows that the kernel filled behind all others. */
  noteAppended(count: number): void {
    this.#rowCount += count;
  }

  /** Rows that were ever in use: the number of the next new one. */
  get endRow(): number {
    return this.#rowCount;
  }

  /** Gives a row back; the last one freed is the next one allocated. */
  free(row: number): void {
    assert(row >= 0 && row < this.#rowCount, 'a freed row was allocated');
    this.#words[this.at(row)] = this.#freeRow;
    this.#freeRow = row;
    this.#freeCount += 1;
  }

  /** A copy of a row's words, to be restored later. */
  image(row: number): Int32Array {
    const at = this.at(row);
    return this.#words.slice(at, at + this.#rowWords);
  }

  /** Puts a row back as it was when its image was taken. */
  restore(row: number, image: Int32Array): void {
    this.#words.set(image, this.at(row));
  }

  /** Takes memory for so many rows, and for more: its pages are made meanwhile. */
  #growTo(rowCount: number): void {
    const capacityRows = Math.ceil(rowCount / STEP_ROWS) * STEP_ROWS;
    const byteCount = (capacityRows + AHEAD_ROWS) * this.#rowWords * 4;
    assert(byteCount <= this.#memory.byteCountMax, 'a table has a bound');
    const memory = this.#memory.grow(byteCount);
    const { byteLength } = memory;
    // Division, not shifts: there may be more than 2^32 bytes.
    this.#words = new Int32Array(memory, 0, Math.floor(byteLength / 4));
    this.#doubles = new Float64Array(memory, 0, Math.floor(byteLength / 8));
    const bytes = new Uint8Array(memory, 0, byteLength);
    this.#source = { bytes, view: new DataView(memory, 0, byteLength) };
    this.#capacityRows = capacityRows;
  }
}

const NO_WORDS = new Int32Array(0);
const NO_DOUBLES = new Float64Array(0);
const NO_SOURCE: FrameSource = { bytes: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)) };
