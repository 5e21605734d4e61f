// Entry of the thread that makes the pages of a lane's fresh memory (lane/warmed-memory.ts). The
// kernel makes a page when it is first written to, which takes it 2.5 to 20 µs. Safe beside the
// lane's own writes: an atomic exchange of 0 for 0 changes nothing. It must be this one, a single
// instruction that always writes: V8 makes the others of a load and an exchange, and a page that
// was read is made anew at the first write, with an interrupt to every core that runs a thread of
// the process; that took four fifths of this thread's time, and some of the lane's.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { setNiceness } from './supervision/thread-order.ts';

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

/** Zeros of a table that is to be, sent to the port when their pages are there. */
export interface OrderedZeros {
  readonly byteCount: number;
  readonly port: MessagePort;
}

setNiceness(NICENESS);
parentPort?.on('message', (job: FreshMemory | OrderedZeros) => {
  if ('memory' in job) warm(job.memory, job.from, job.until);
  else void makeZeros(job);
});

function warm(memory: ArrayBufferLike, from: number, until: number): void {
  const pageFrom = Math.floor(from / PAGE_BYTES) * PAGE_BYTES;
  const words = new Int32Array(memory, pageFrom, Math.floor((until - pageFrom) / 4));
  for (let at = 0; at < words.length; at += PAGE_WORDS) Atomics.compareExchange(words, at, 0, 0);
}

function tryAllocate(byteCount: number): ArrayBuffer | null {
  try {
    return new ArrayBuffer(byteCount);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** In pieces: rows that are needed at once go before. */
async function makeZeros({ byteCount, port }: OrderedZeros): Promise<void> {
  const memory = tryAllocate(byteCount);
  if (memory === null) {
    // Whoever needs it takes plain memory, or tells why there is none.
    port.close();
    return;
  }
  for (let from = 0; from < byteCount; from += PIECE_BYTES) {
    warm(memory, from, Math.min(byteCount, from + PIECE_BYTES));
    await nextTurn();
  }
  port.postMessage(memory, [memory]);
  port.close();
}
