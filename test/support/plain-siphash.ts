// SipHash as its paper has it, in BigInt and obviously right: what the kernel is compared with.
// Used by tests only.

const MASK = (1n << 64n) - 1n;

/** How many rounds follow each word, and each end. */
export interface SipRounds {
  readonly perWord: number;
  readonly perEnd: number;
}

/** The 128-bit result over words of 64 bits, as two of them. */
export function plainSipHash(
  seed: Uint8Array,
  words: readonly bigint[],
  rounds: SipRounds = { perWord: 1, perEnd: 3 },
): readonly [bigint, bigint] {
  const view = new DataView(seed.buffer, seed.byteOffset, seed.byteLength);
  const [first, second] = [view.getBigUint64(0, true), view.getBigUint64(8, true)];
  const state = [
    first ^ 0x736f6d6570736575n,
    second ^ 0x646f72616e646f6dn ^ 0xeen,
    first ^ 0x6c7967656e657261n,
    second ^ 0x7465646279746573n,
  ];
  for (const word of words) {
    state[3] ^= word;
    mix(state, rounds.perWord);
    state[0] ^= word;
  }
  state[2] ^= 0xeen;
  mix(state, rounds.perEnd);
  const low = fold(state);
  state[1] ^= 0xddn;
  mix(state, rounds.perEnd);
  return [low, fold(state)];
}

/** The words of a text: its domain and length, then its bytes, padded with zeros. */
export function textWords(domain: number, text: Uint8Array): bigint[] {
  const words = [(BigInt(domain) << 8n) | BigInt(text.byteLength)];
  for (let at = 0; at < text.byteLength; at += 8) {
    let word = 0n;
    for (const [place, byte] of text.subarray(at, at + 8).entries()) {
      word |= BigInt(byte) << BigInt(place * 8);
    }
    words.push(word);
  }
  return words;
}

function mix(state: bigint[], count: number): void {
  for (let round = 0; round < count; round += 1) {
    state[0] = (state[0] + state[1]) & MASK;
    state[1] = rotate(state[1], 13n) ^ state[0];
    state[0] = rotate(state[0], 32n);
    state[2] = (state[2] + state[3]) & MASK;
    state[3] = rotate(state[3], 16n) ^ state[2];
    state[0] = (state[0] + state[3]) & MASK;
    state[3] = rotate(state[3], 21n) ^ state[0];
    state[2] = (state[2] + state[1]) & MASK;
    state[1] = rotate(state[1], 17n) ^ state[2];
    state[2] = rotate(state[2], 32n);
  }
}

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

function fold(state: readonly bigint[]): bigint {
  return state.reduce((sum, word) => sum ^ word, 0n);
}
