// Has the kernel make the pages of memory that a lane will need soon, in main's thread, which has
// the time. Safe beside the lane's own writes: to add 0 atomically changes and loses nothing.

const PAGE_WORDS = 4_096 / Int32Array.BYTES_PER_ELEMENT;

/**
 * Writes to each page once, without changing it: 1 to 2 ms a MiB. By `add`, which is one
 * instruction: `or` and `compareExchange` read first, and a page that was read and is then written
 * is made twice, with an interrupt to the lane's processor in between.
 */
export function warmMemory(memory: SharedArrayBuffer): void {
  const words = new Int32Array(memory);
  for (let at = 0; at < words.length; at += PAGE_WORDS) Atomics.add(words, at, 0);
}
