// Ids for generated load: a number's place in the run, mixed and written as hex digits at the START
// of a prepared id, so that ids share no prefix and are patched in place in a few nanoseconds. The
// same seed gives the same ids. Pure functions over bytes; any thread.
import { randomUUID } from 'node:crypto';
import { assert } from '../../core/assert.ts';

/** Bytes of an id that are patched: two 32-bit writes of four hex digits each. */
export const PATCHED_BYTES = 8;

/** How long ids are, and what stands in them besides the patched digits. */
export interface IdentifierForm {
  readonly transactionBytes: number;
  readonly roundBytes: number;
  readonly playerBytes: number;
  readonly gameBytes: number;
}

/** The canonical lengths of design section 9, or shorter ones for comparisons. */
export function identifierForm(idBytesMax: number): IdentifierForm {
  assert(idBytesMax >= PATCHED_BYTES && idBytesMax <= 64, 'ids have 8 to 64 bytes');
  return {
    transactionBytes: idBytesMax,
    roundBytes: Math.min(24, idBytesMax),
    playerBytes: Math.min(20, idBytesMax),
    gameBytes: Math.min(12, idBytesMax),
  };
}

/** A different number for each purpose, so that a bet and its round get different digits. */
export interface Salts {
  readonly transaction: number;
  readonly round: number;
  readonly player: number;
}

/** The run's salts; numbers, since they are used for each id. */
export function saltsOf(seed: number): Salts {
  return {
    transaction: mix(seed ^ 0x7f4a7c15),
    round: mix(seed ^ 0x1ce4e5b9),
    player: mix(seed ^ 0x133111eb),
  };
}

/** A seed for a run that was given none. */
export function randomSeed(): number {
  return Number.parseInt(randomUUID().slice(0, 8), 16);
}

// Four hex digits for each 16-bit number, as one big-endian word: 256 KiB, stays in the L2 cache.
const HEX_WORDS: Uint32Array = Uint32Array.from({ length: 65_536 }, (_, number) => {
  const digits = number.toString(16).padStart(4, '0');
  return [...digits].reduce((word, digit) => (word << 8) | digit.charCodeAt(0), 0);
});

/** A one-to-one scramble of 32 bits (two multiply-xorshift rounds): no two numbers share digits. */
export function mix(number: number): number {
  let bits = number | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}

/** Writes the digits of a number (below 2^32) over the first bytes of an id. */
export function patchIdentifier(view: DataView, at: number, mixed: number): void {
  view.setUint32(at, HEX_WORDS[mixed >>> 16]);
  view.setUint32(at + 4, HEX_WORDS[mixed & 0xffff]);
}

/** An id's bytes before it is patched: hex digits of the seed and the purpose, `byteCount` long. */
export function identifierText(byteCount: number, seed: number): string {
  let text = '';
  for (let part = 1; text.length < byteCount; part += 1) {
    text += mix(seed + Math.imul(part, 0x9e3779b1))
      .toString(16)
      .padStart(8, '0');
  }
  return text.slice(0, byteCount);
}
