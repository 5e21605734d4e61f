// A sequence and a time in three words of a row, 48 bits each: 8,900 years of milliseconds, and as
// many records as a shard writes in 8 years at a million a second. Any thread.

const TWO_32 = 4_294_967_296;

/** Writes a sequence and a time, 48 bits each, into three words. */
export function writeStamp(words: Int32Array, at: number, sequence: number, timeMs: number): void {
  words[at] = sequence;
  words[at + 1] = timeMs;
  words[at + 2] = Math.floor(sequence / TWO_32) | (Math.floor(timeMs / TWO_32) << 16);
}

/** The sequence of a stamp. */
export function readSequence(words: Int32Array, at: number): number {
  return (words[at] >>> 0) + (words[at + 2] & 0xffff) * TWO_32;
}

/** The time of a stamp in ms. */
export function readTimeMs(words: Int32Array, at: number): number {
  return (words[at + 1] >>> 0) + (words[at + 2] >>> 16) * TWO_32;
}
