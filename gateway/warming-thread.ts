// Entry of the thread that makes the pages of a lane's fresh memory (lane/warmed-memory.ts). The
// kernel makes a page when it is first written to, which takes it 2.5 to 20 µs. Safe beside the
// lane's own writes: an atomic exchange of 0 for 0 changes nothing. It must be this one, a single
// instruction that always writes: V8 makes the others of a load and an exchange, and a page that
// was read is made anew at the first write, with an interrupt to every core that runs a thread of
// the process; that took four fifths of this thread's time, and some of the lane's.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { setNiceness } from '../persist/thread-order.ts';

const PAGE_BYTES = 4_096;
const PAGE_WORDS = PAGE_BYTES / Int32Array.BYTES_PER_ELEMENT;
/** Pages of some ms: what comes meanwhile does not wait long. */
const PIECE_BYTES = 1_048_576;
/** Short of a core, the lane goes first: it can make a page itself where one is missing. */
const NICENESS = 10;

/** Bytes of a table's memory that nobody has written to, or few. */
export interface FreshMemory {
  readonly memory: SharedArrayBuffer;
  readonly from: number;
  readonly until: number;
}

setNiceness(NICENESS);
parentPort?.on('message', (fresh: FreshMemory) => {
  void warmAll(fresh);
});

/** In pieces: of what comes meanwhile, the small is needed soon. */
async function warmAll({ memory, from, until }: FreshMemory): Promise<void> {
  for (let pieceFrom = from; pieceFrom < until; pieceFrom += PIECE_BYTES) {
    warm(memory, pieceFrom, Math.min(until, pieceFrom + PIECE_BYTES));
    await nextTurn();
  }
}

function warm(memory: SharedArrayBuffer, from: number, until: number): void {
  const pageFrom = Math.floor(from / PAGE_BYTES) * PAGE_BYTES;
  const words = new Int32Array(memory, pageFrom, Math.floor((until - pageFrom) / 4));
  for (let at = 0; at < words.length; at += PAGE_WORDS) Atomics.compareExchange(words, at, 0, 0);
}
