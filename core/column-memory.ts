// Hands out typed arrays one behind the other from one piece of memory, so that two threads which
// make the same columns in the same order over shared memory see the same rows. Without a piece of
// memory each array has its own, and only the bytes are counted. Used while columns are made.
import { assert } from './assert.ts';

/** Every array starts at a multiple of this: the widest element. */
const ALIGNMENT_BYTES = 8;

/** A cursor over a piece of memory. */
export class ColumnMemory {
  readonly #memory: ArrayBufferLike | null;
  readonly #start: number;
  #at: number;

  /** Takes from `start` on; null: arrays of their own. */
  constructor(memory: ArrayBufferLike | null = null, start: number = 0) {
    assert(start % ALIGNMENT_BYTES === 0, 'columns start at a multiple of eight bytes');
    this.#memory = memory;
    this.#start = start;
    this.#at = start;
  }

  /** Bytes handed out so far. */
  get byteCount(): number {
    return this.#at - this.#start;
  }

  uint8(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#memory === null ? new Uint8Array(count) : new Uint8Array(this.#memory, at, count);
  }

  uint16(count: number): Uint16Array {
    const at = this.#take(count * 2);
    if (this.#memory === null) return new Uint16Array(count);
    return new Uint16Array(this.#memory, at, count);
  }

  uint32(count: number): Uint32Array {
    const at = this.#take(count * 4);
    if (this.#memory === null) return new Uint32Array(count);
    return new Uint32Array(this.#memory, at, count);
  }

  int32(count: number): Int32Array {
    const at = this.#take(count * 4);
    return this.#memory === null ? new Int32Array(count) : new Int32Array(this.#memory, at, count);
  }

  float64(count: number): Float64Array {
    const at = this.#take(count * 8);
    if (this.#memory === null) return new Float64Array(count);
    return new Float64Array(this.#memory, at, count);
  }

  #take(byteCount: number): number {
    const at = this.#at;
    this.#at += Math.ceil(byteCount / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    assert(
      this.#memory === null || this.#at <= this.#memory.byteLength,
      'columns fit their memory',
    );
    return at;
  }
}
