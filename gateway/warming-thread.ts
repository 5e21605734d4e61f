// Entry of the thread that makes the pages of a lane's fresh memory (lane/warmed-memory.ts). The
// kernel makes a page when it is first written to, which takes it 2.5 to 20 µs. Safe beside the
// lane's own writes: an atomic exchange of 0 for 0 changes nothing. It must be this one, a single
// instruction that always writes: V8 makes the others of a load and an exchange, and a page that
// was read is made anew at the first write, with an interrupt to every core that runs a thread of
// the process; that took four fifths of this thread's time, and some of the lane's.
import { parentPort } from 'node:worker_threads';
import { setNiceness } from './supervision/thread-order.ts';

const PAGE_WORDS = 4_096 / Int32Array.BYTES_PER_ELEMENT;
/** Short of a core, the lane goes first: it can make a page itself where one is missing. */
const NICENESS = 10;

setNiceness(NICENESS);
parentPort?.on('message', (memory: SharedArrayBuffer) => {
  const words = new Int32Array(memory);
  for (let at = 0; at < words.length; at += PAGE_WORDS) Atomics.compareExchange(words, at, 0, 0);
});
