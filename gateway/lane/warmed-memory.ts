// Memory for a lane's tables whose pages another thread makes before the lane writes to them. It
// grows in place: address space for the most that a table may have is taken at once, which costs
// nothing but numbers. Lane's thread only; the other one is its own (warming-thread.ts) and ends
// with it.
import { Worker } from 'node:worker_threads';
import {
  type GrowingMemory,
  linearMemory,
  type OnGrown,
  reserveMemory,
  type TableMemory,
} from '../../core/tables/table-memory.ts';
import type { FreshMemory } from '../warming-thread.ts';

const WARMING_THREAD = new URL('../warming-thread.ts', import.meta.url);

/** Starts the warming thread and gives out what it warms. */
export function warmedMemory(): TableMemory {
  const thread = new Worker(WARMING_THREAD);
  thread.unref();
  // Without warm pages the tables work too, only slower: no reason to stop.
  thread.on('error', (error) => process.emitWarning(error));
  const warm: OnGrown = (memory, from) => {
    const fresh: FreshMemory = { memory, from, until: memory.byteLength };
    thread.postMessage(fresh);
  };
  return {
    take: (byteCountMax) => growingInPlace(byteCountMax, warm),
    takeLinear: (byteCountMax) => linearMemory(byteCountMax, warm),
  };
}

/** Memory that grows where it is, of zeros; tells of each piece that is added. */
export function growingInPlace(byteCountMax: number, onGrown: OnGrown): GrowingMemory {
  const options = { maxByteLength: byteCountMax };
  const memory = reserveMemory(byteCountMax, () => new SharedArrayBuffer(0, options));
  return {
    byteCountMax,
    grow: (byteCount) => {
      const from = memory.byteLength;
      if (from >= byteCount) return memory;
      memory.grow(byteCount);
      onGrown(memory, from);
      return memory;
    },
  };
}
