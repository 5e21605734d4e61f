// Memory for a lane's tables whose pages another thread makes before the lane writes to them. What
// a table keeps is warmed by main. What it gives back later must not be known to main: its isolate
// hardly ever collects garbage and would hold the memory; so a thread of its own warms that, and
// ends. Lane's thread only.
import { Worker } from 'node:worker_threads';
import type { TableMemory } from '../../core/tables/table-memory.ts';

/** Below this the lane makes the pages itself: a thus small table is filled in a moment. */
const BORROWED_BYTES_MIN = 4 * 1_048_576;

const WARMING_THREAD = new URL('../warming-thread.ts', import.meta.url);

/** Makes the memory of one lane; `warm` asks main. */
export function warmedMemory(warm: (memory: SharedArrayBuffer) => void): TableMemory {
  return {
    take: (byteCount) => {
      const memory = new SharedArrayBuffer(byteCount);
      warm(memory);
      return memory;
    },
    borrow: (byteCount) => {
      if (byteCount < BORROWED_BYTES_MIN) return new ArrayBuffer(byteCount);
      const memory = new SharedArrayBuffer(byteCount);
      const thread = new Worker(WARMING_THREAD, { workerData: memory });
      thread.unref();
      // Without warm pages the table works too, only slower: no reason to stop.
      thread.on('error', (error) => process.emitWarning(error));
      return memory;
    },
  };
}
