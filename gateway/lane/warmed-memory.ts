// Memory for a lane's tables whose pages another thread makes before the lane writes to them.
// Lane's thread only; the other one is its own (warming-thread.ts) and ends with it.
import { Worker } from 'node:worker_threads';
import type { TableMemory } from '../../core/tables/table-memory.ts';

/** Below this the lane makes the pages itself: so small a piece is filled in a moment. */
const WARMED_BYTES_MIN = 262_144;

const WARMING_THREAD = new URL('../warming-thread.ts', import.meta.url);

/** What the warming thread is told. */
export interface WarmingOrder {
  readonly memory: SharedArrayBuffer;
  /** Whether the lane will give the memory up again. */
  readonly isBorrowed: boolean;
}

/** Starts the warming thread and gives out what it warms. */
export function warmedMemory(): TableMemory {
  const thread = new Worker(WARMING_THREAD);
  thread.unref();
  // Without warm pages the tables work too, only slower: no reason to stop.
  thread.on('error', (error) => process.emitWarning(error));
  const give = (byteCount: number, isBorrowed: boolean): ArrayBufferLike => {
    if (byteCount < WARMED_BYTES_MIN) return new ArrayBuffer(byteCount);
    const memory = new SharedArrayBuffer(byteCount);
    const order: WarmingOrder = { memory, isBorrowed };
    thread.postMessage(order);
    return memory;
  };
  return {
    take: (byteCount) => give(byteCount, false),
    borrow: (byteCount) => give(byteCount, true),
  };
}
