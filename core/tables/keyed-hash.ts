// A keyed 128-bit hash for tables whose keys outsiders choose: the round function of HalfSipHash
// (32-bit words, add, rotate, xor) with a 128-bit seed, one round a word. Without the seed nobody
// can choose ids that collide, so probe lengths stay short and two ids never share a key by design.
// Its results stay in memory and are never stored: a data folder may change its seed.
// Measured reason for 32-bit words: V8 keeps them in registers, while 64-bit words need BigInt.
import { assert } from '../assert.ts';

/** Bytes of a seed. */
export const HASH_SEED_BYTES = 16;

/** As in HalfSipHash-1-3. */
const FINAL_ROUNDS = 3;

/**
 * A running hash. The state is four words that can be saved and loaded, so that a common beginning
 * (operator and player) is absorbed once and continued for several keys. Not reentrant: one per
 * thread, used from begin or load to finish.
 */
export class KeyedHash {
  readonly #seed: Int32Array;
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;

  constructor(seed: Uint8Array) {
    assert(seed.byteLength === HASH_SEED_BYTES, 'a hash seed has 16 bytes');
    const view = new DataView(seed.buffer, seed.byteOffset, seed.byteLength);
    this.#seed = Int32Array.from({ length: 4 }, (_, word) => view.getInt32(word * 4, true));
  }

  /** Starts a hash from the seed alone. */
  begin(): void {
    const seed = this.#seed;
    this.#v0 = seed[0];
    this.#v1 = seed[1];
    this.#v2 = seed[2] ^ 0x6c796765;
    this.#v3 = seed[3] ^ 0x74656462;
  }

  /** Continues from four words saved before. */
  load(words: Int32Array, at: number): void {
    this.#v0 = words[at];
    this.#v1 = words[at + 1];
    this.#v2 = words[at + 2];
    this.#v3 = words[at + 3];
  }

  /** Saves the state as four words, to be loaded later. */
  save(words: Int32Array, at: number): void {
    words[at] = this.#v0;
    words[at + 1] = this.#v1;
    words[at + 2] = this.#v2;
    words[at + 3] = this.#v3;
  }

  /** Absorbs one 32-bit word. */
  absorbWord(word: number): void {
    let v0 = this.#v0;
    let v1 = this.#v1;
    let v2 = this.#v2;
    let v3 = this.#v3 ^ word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    this.#v0 = v0 ^ word;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }

  /**
   * Absorbs a text of 0 to 255 bytes behind one word that holds its domain (24 bits) and its
   * length, so that no two sequences of texts give the same words. The last word is padded with
   * zeros. The state stays in local variables for the whole text: stored and loaded for each word
   * it would cost several cycles a round.
   */
  absorbText(domain: number, view: DataView, at: number, byteCount: number): void {
    let v0 = this.#v0;
    let v1 = this.#v1;
    let v2 = this.#v2;
    let v3 = this.#v3;
    const wholeEnd = at + (byteCount & ~3);
    const end = at + byteCount;
    let position = at;
    let word = (domain << 8) | byteCount;
    for (;;) {
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
      if (position >= end) break;
      word = position < wholeEnd ? view.getInt32(position, true) : lastWord(view, position, end);
      position += 4;
    }
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }

  /**
   * Ends the hash with 128 bits in four words: the whole state behind three more rounds, so that
   * different states never end alike.
   */
  finish(words: Int32Array, at: number): void {
    this.#mix();
    words[at] = this.#v0;
    words[at + 1] = this.#v1;
    words[at + 2] = this.#v2;
    words[at + 3] = this.#v3;
  }

  /** Ends the hash with 64 bits in two words: for accounts, and for bodies under one key. */
  finishShort(words: Int32Array, at: number): void {
    this.#mix();
    words[at] = this.#v0 ^ this.#v2;
    words[at + 1] = this.#v1 ^ this.#v3;
  }

  #mix(): void {
    let v0 = this.#v0;
    let v1 = this.#v1;
    let v2 = this.#v2 ^ 0xee;
    let v3 = this.#v3;
    for (let round = 0; round < FINAL_ROUNDS; round += 1) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }
}

function lastWord(view: DataView, at: number, end: number): number {
  let word = 0;
  for (let position = at; position < end; position += 1) {
    word |= view.getUint8(position) << ((position - at) * 8);
  }
  return word;
}
