// Memory for a lane's tables whose pages another thread makes before the lane writes to them.
// Lane's thread only; the other one is its own (warming-thread.ts) and ends with it.
import { Worker } from 'node:worker_threads';
import type { TableMemory } from '../../core/tables/table-memory.ts';

/** Below this the lane makes the pages itself: so small a piece is filled in a moment. */
const WARMED_BYTES_MIN = 131_072;

const WARMING_THREAD = new URL('../warming-thread.ts', import.meta.url);

/** Starts the warming thread and gives out what it warms. */
export function warmedMemory(): TableMemory {
  const thread = new Worker(WARMING_THREAD);
  thread.unref();
  // Without warm pages the tables work too, only slower: no reason to stop.
  thread.on('error', (error) => process.emitWarning(error));
  return {
    take: (byteCount) => {
      if (byteCount < WARMED_BYTES_MIN) return new ArrayBuffer(byteCount);
      const memory = new SharedArrayBuffer(byteCount);
      thread.postMessage(memory);
      return memory;
    },
  };
}
