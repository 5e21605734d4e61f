// Memory for a lane's tables whose pages another thread makes before the lane writes to them. It
// grows in place: address space for the most that a table may have is taken at once, which costs
// nothing but numbers. Lane's thread only; the other one is its own (warming-thread.ts) and ends
// with it.
import { Worker } from 'node:worker_threads';
import type { GrowingMemory, TableMemory } from '../../core/tables/table-memory.ts';
import type { FreshMemory } from '../warming-thread.ts';

const WARMING_THREAD = new URL('../warming-thread.ts', import.meta.url);

/** Starts the warming thread and gives out what it warms. */
export function warmedMemory(): TableMemory {
  const thread = new Worker(WARMING_THREAD);
  thread.unref();
  // Without warm pages the tables work too, only slower: no reason to stop.
  thread.on('error', (error) => process.emitWarning(error));
  return {
    take: (byteCountMax) =>
      growingInPlace(byteCountMax, (fresh) => {
        thread.postMessage(fresh);
      }),
  };
}

/** Memory that grows where it is, of zeros; tells of each piece that is added. */
export function growingInPlace(
  byteCountMax: number,
  onGrown: (fresh: FreshMemory) => void,
): GrowingMemory {
  const memory = new SharedArrayBuffer(0, { maxByteLength: byteCountMax });
  return {
    grow: (byteCount) => {
      const from = memory.byteLength;
      if (from >= byteCount) return memory;
      memory.grow(byteCount);
      onGrown({ memory, from, until: byteCount });
      return memory;
    },
  };
}
