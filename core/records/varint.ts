// Whole numbers of variable length in records: seven bits a byte, the lowest first, the high bit
// set on all but the last. Up to 2^53 − 1, so beyond 31 bits division takes the place of shifts.
import { assert } from '../assert.ts';

const SMALL_MAX = 0x7fffffff;

/** Writes a whole number of 0 to 2^53 − 1 (1 to 8 bytes) and returns the place behind it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let position = at;
  let rest = value;
  while (rest > SMALL_MAX) {
    const higher = Math.floor(rest / 128);
    bytes[position] = (rest - higher * 128) | 0x80;
    rest = higher;
    position += 1;
  }
  while (rest >= 0x80) {
    bytes[position] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    position += 1;
  }
  bytes[position] = rest;
  return position + 1;
}

/**
 * Writes a signed amount of at most 2^53 − 1 in magnitude as its magnitude with the sign in the
 * lowest bit of the first byte (1 to 8 bytes); six bits of value in the first byte.
 */
export function writeSignedVarint(bytes: Uint8Array, at: number, value: number): number {
  const sign = value < 0 ? 1 : 0;
  const magnitude = sign === 1 ? -value : value;
  // Integer division keeps clear of the double remainder, which is a call of 20 ns and more.
  const rest = magnitude <= SMALL_MAX ? magnitude >>> 6 : Math.floor(magnitude / 64);
  const first = ((magnitude - rest * 64) << 1) | sign;
  if (rest === 0) {
    bytes[at] = first;
    return at + 1;
  }
  bytes[at] = first | 0x80;
  return writeVarint(bytes, at + 1, rest);
}

/**
 * Reads numbers one after another; `at` moves on. Refuses what lies beyond the end. Numbers of one
 * and two bytes are read without a loop or a check of the end: a byte beyond it is undefined, which
 * is below no number, so it leads to the path that checks.
 */
export class VarintReader {
  bytes: Uint8Array;
  at = 0;
  end = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.byteLength;
  }

  /** The next unsigned number. */
  unsigned(): number {
    const { at } = this;
    const first = this.bytes[at];
    if (first >= 0x80) return this.finish(first, at + 1);
    assert(at < this.end, 'a record ends where its length says');
    this.at = at + 1;
    return first;
  }

  /** The next signed number. */
  signed(): number {
    const { at } = this;
    const first = this.bytes[at];
    let magnitude = (first & 0x7f) >> 1;
    if (first >= 0x80) {
      this.at = at + 1;
      magnitude += this.unsigned() * 64;
      assert(magnitude <= Number.MAX_SAFE_INTEGER, 'a number in a record is at most 2^53 − 1');
    } else {
      assert(at < this.end, 'a record ends where its length says');
      this.at = at + 1;
    }
    return (first & 1) === 1 ? -magnitude : magnitude;
  }

  /** The rest of a number whose first byte, before `at`, was no last one; sets `at`. */
  finish(first: number, at: number): number {
    const { bytes } = this;
    const second = bytes[at];
    if (second < 0x80) {
      this.at = at + 1;
      return (first & 0x7f) | (second << 7);
    }
    const third = bytes[at + 1];
    if (third < 0x80) {
      this.at = at + 2;
      return (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14);
    }
    return this.#finishLong(first, at);
  }

  /** Four bytes or more, or an end. */
  #finishLong(first: number, from: number): number {
    let at = from;
    let value = first & 0x7f;
    let scale = 128;
    for (;;) {
      assert(at < this.end, 'a record ends where its length says');
      const byte = this.bytes[at];
      at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
      assert(scale <= 2 ** 49, 'a number in a record has at most 8 bytes');
    }
    assert(Number.isSafeInteger(value), 'a number in a record is at most 2^53 − 1');
    this.at = at;
    return value;
  }
}
