// A keyed 128-bit hash for tables whose keys outsiders choose: the round function of HalfSipHash
// (32-bit words, add, rotate, xor) with a 128-bit seed, one round a word. Without the seed nobody
// can choose ids that collide, so probe lengths stay short and two ids never share a key by design.
// Its results stay in memory and are never stored: a data folder may change its seed.
// Measured reason for 32-bit words: V8 keeps them in registers, while 64-bit words need BigInt.
//
// What is absorbed is gathered as words first and goes through the rounds in one loop at the end,
// in which the state stays in registers. Hot code does the same with the two functions below the
// class, which take a hash from its words to its end in one call: of small calls for each word and
// step the compiler inlines only some.
import { assert } from '../assert.ts';

/** Bytes of a seed. */
export const HASH_SEED_BYTES = 16;

/** As in HalfSipHash-1-3. */
const FINAL_ROUNDS = 3;

/** The longest text, with the word before it, in words; and room for some more of them. */
const TEXT_WORDS_MAX = 65;
const GATHERED_WORDS_MAX = TEXT_WORDS_MAX * 4;

/**
 * A running hash. The state is four words that can be saved and loaded, so that a common beginning
 * (operator and player) is absorbed once and continued for several keys. Not reentrant: one per
 * thread, used from begin or load to finish.
 */
export class KeyedHash {
  /** The state before anything was absorbed. */
  readonly #start: Int32Array;
  readonly #state: Int32Array = new Int32Array(4);
  /** What was absorbed since begin, load or the last time that the words had no more room. */
  readonly #words: Int32Array = new Int32Array(GATHERED_WORDS_MAX);
  #count = 0;

  constructor(seed: Uint8Array) {
    assert(seed.byteLength === HASH_SEED_BYTES, 'a hash seed has 16 bytes');
    const view = new DataView(seed.buffer, seed.byteOffset, seed.byteLength);
    this.#start = Int32Array.from({ length: 4 }, (_, word) => view.getInt32(word * 4, true));
    this.#start[2] ^= 0x6c796765;
    this.#start[3] ^= 0x74656462;
  }

  /** Starts a hash from the seed alone. */
  begin(): void {
    this.load(this.#start, 0);
  }

  /** Continues from four words saved before. */
  load(words: Int32Array, at: number): void {
    const state = this.#state;
    state[0] = words[at];
    state[1] = words[at + 1];
    state[2] = words[at + 2];
    state[3] = words[at + 3];
    this.#count = 0;
  }

  /** Saves the state as four words, to be loaded later. */
  save(words: Int32Array, at: number): void {
    this.#absorbGathered();
    const state = this.#state;
    words[at] = state[0];
    words[at + 1] = state[1];
    words[at + 2] = state[2];
    words[at + 3] = state[3];
  }

  /** Absorbs one 32-bit word. */
  absorbWord(word: number): void {
    if (this.#count === GATHERED_WORDS_MAX) this.#absorbGathered();
    this.#words[this.#count] = word;
    this.#count += 1;
  }

  /**
   * Absorbs a text of 0 to 255 bytes behind one word that holds its domain (24 bits) and its
   * length, so that no two sequences of texts give the same words. The last word is padded with
   * zeros.
   */
  absorbText(domain: number, view: DataView, at: number, byteCount: number): void {
    if (this.#count + TEXT_WORDS_MAX > GATHERED_WORDS_MAX) this.#absorbGathered();
    this.#count = gatherText(this.#words, this.#count, domain, view, at, byteCount);
  }

  /**
   * Ends the hash with 128 bits in four words: the whole state behind three more rounds, so that
   * different states never end alike.
   */
  finish(words: Int32Array, at: number): void {
    hashWords(this.#state, 0, this.#words, this.#count, words, at);
    this.#count = 0;
  }

  /** Ends the hash with 64 bits in two words: for accounts, and for bodies under one key. */
  finishShort(words: Int32Array, at: number): void {
    const state = this.#state;
    hashWords(state, 0, this.#words, this.#count, state, 0);
    this.#count = 0;
    words[at] = state[0] ^ state[2];
    words[at + 1] = state[1] ^ state[3];
  }

  #absorbGathered(): void {
    if (this.#count === 0) return;
    mix(this.#state, 0, this.#words, this.#count, this.#state, 0, 0);
    this.#count = 0;
  }
}

/** Puts the words of a text behind `count` others; see absorbText. Returns the count then. */
export function gatherText(
  words: Int32Array,
  count: number,
  domain: number,
  view: DataView,
  at: number,
  byteCount: number,
): number {
  const wholeEnd = at + (byteCount & ~3);
  const end = at + byteCount;
  let next = count;
  words[next] = (domain << 8) | byteCount;
  next += 1;
  for (let position = at; position < wholeEnd; position += 4) {
    words[next] = view.getInt32(position, true);
    next += 1;
  }
  if (wholeEnd < end) {
    words[next] = lastWord(view, wholeEnd, end);
    next += 1;
  }
  return next;
}

/** Continues from a saved state with `count` words and ends the hash in four words. */
export function hashWords(
  states: Int32Array,
  statesAt: number,
  words: Int32Array,
  count: number,
  result: Int32Array,
  resultAt: number,
): void {
  mix(states, statesAt, words, count, result, resultAt, FINAL_ROUNDS);
}

/** Takes a state through a round for each word, and then through so many final ones. */
function mix(
  states: Int32Array,
  statesAt: number,
  words: Int32Array,
  count: number,
  result: Int32Array,
  resultAt: number,
  finalRounds: number,
): void {
  let v0 = states[statesAt];
  let v1 = states[statesAt + 1];
  let v2 = states[statesAt + 2];
  let v3 = states[statesAt + 3];
  for (let at = 0; at < count; at += 1) {
    const word = words[at];
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
  }
  // Without final rounds the result is a state to go on from.
  if (finalRounds > 0) v2 ^= 0xee;
  for (let round = 0; round < finalRounds; round += 1) {
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
  result[resultAt] = v0;
  result[resultAt + 1] = v1;
  result[resultAt + 2] = v2;
  result[resultAt + 3] = v3;
}

function lastWord(view: DataView, at: number, end: number): number {
  let word = 0;
  for (let position = at; position < end; position += 1) {
    word |= view.getUint8(position) << ((position - at) * 8);
  }
  return word;
}
