// Memory for a lane's tables whose pages another thread makes before the lane writes to them. It
// grows in place: address space for the most that a table may have is taken at once, which costs
// nothing but numbers. Lane's thread only; the other one is its own (warming-thread.ts) and ends
// with it.
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import {
  type GrowingMemory,
  type OrderedMemory,
  plainOrder,
  type TableMemory,
} from '../../core/tables/table-memory.ts';
import type { FreshMemory, OrderedZeros } from '../warming-thread.ts';

/** Below this the lane makes the pages itself: so small a piece is filled in a moment. */
const WARMED_BYTES_MIN = 1_048_576;

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
    order: (byteCount) => {
      if (byteCount < WARMED_BYTES_MIN) return plainOrder(byteCount);
      const { port1, port2 } = new MessageChannel();
      const ordered: OrderedZeros = { byteCount, port: port2 };
      thread.postMessage(ordered, [port2]);
      return new ZerosOnTheWay(byteCount, port1);
    },
  };
}

/** Zeros that the other thread makes and sends. */
class ZerosOnTheWay implements OrderedMemory {
  readonly #byteCount: number;
  readonly #port: MessagePort;

  constructor(byteCount: number, port: MessagePort) {
    this.#byteCount = byteCount;
    this.#port = port;
    port.unref();
  }

  take(isNeeded: boolean): ArrayBuffer | null {
    const received: { message: ArrayBuffer } | undefined = receiveMessageOnPort(this.#port);
    if (received === undefined && !isNeeded) return null;
    this.#port.close();
    return received?.message ?? new ArrayBuffer(this.#byteCount);
  }
}

/** Memory that grows where it is, of zeros; tells of each piece that is added. */
export function growingInPlace(
  byteCountMax: number,
  onGrown: (fresh: FreshMemory) => void,
): GrowingMemory {
  const memory = reserve(byteCountMax);
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

function reserve(byteCountMax: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(0, { maxByteLength: byteCountMax });
  } catch (cause) {
    throw new Error(
      `Cannot make a table because it takes ${byteCountMax} bytes of address space, which is no ` +
        'memory: raise or remove the limit of the process (ulimit -v unlimited).',
      { cause },
    );
  }
}
