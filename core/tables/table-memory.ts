// Where tables keep their rows: memory that grows and is kept for good. A table grows it well
// before it needs it, so that whoever gives it can have its pages made by another thread meanwhile:
// the first write to a page of fresh memory takes the kernel 2.5 to 20 µs, a quarter of a lane's
// time at full load.
import { assert } from '../assert.ts';

/** A giver of memory. */
export interface TableMemory {
  /** The memory of one table, empty yet. */
  take(byteCountMax: number): GrowingMemory;

  /** The same, which functions of WebAssembly reach too: at most LINEAR_BYTES_MAX. */
  takeLinear(byteCountMax: number): LinearMemory;
}

/** The memory of one table. */
export interface GrowingMemory {
  /** It never has more. */
  readonly byteCountMax: number;
  /** At least so many bytes: those there were, whether in place or copied, and zeros. */
  grow(byteCount: number): ArrayBufferLike;
}

/** Memory that grows in place, as WebAssembly has it. */
export interface LinearMemory extends GrowingMemory {
  readonly memory: WasmMemory;
}

/** What WebAssembly can address in 32 bits. */
export const LINEAR_BYTES_MAX: number = 2 ** 32;

const LINEAR_PAGE_BYTES = 65_536;
/** Address space that V8 takes for each, whatever its bound: so it need not look at addresses. */
const LINEAR_RESERVED_BYTES = 10 * 2 ** 30;

/** Plain memory, copied as it grows; its pages are made when they are first written to. */
export const PLAIN_MEMORY: TableMemory = {
  take: (byteCountMax) => new PlainMemory(byteCountMax),
  takeLinear: (byteCountMax) => linearMemory(byteCountMax, () => undefined),
};

/** A piece that was added to memory. */
export type OnGrown = (memory: SharedArrayBuffer, from: number) => void;

/** Linear memory; tells of each piece that is added. */
export function linearMemory(byteCountMax: number, onGrown: OnGrown): LinearMemory {
  assert(byteCountMax <= LINEAR_BYTES_MAX, 'linear memory has a bound');
  const maximum = Math.ceil(byteCountMax / LINEAR_PAGE_BYTES);
  const memory = reserveMemory(
    LINEAR_RESERVED_BYTES,
    () => new WebAssembly.Memory({ initial: 0, maximum, shared: true }),
  );
  return {
    byteCountMax,
    memory,
    grow: (byteCount) => {
      const from = memory.buffer.byteLength;
      if (from < byteCount) {
        memory.grow(Math.ceil((byteCount - from) / LINEAR_PAGE_BYTES));
        onGrown(memory.buffer, from);
      }
      return memory.buffer;
    },
  };
}

/** Makes memory that takes so much address space, or tells what to do where there is less. */
export function reserveMemory<Memory>(byteCount: number, make: () => Memory): Memory {
  try {
    return make();
  } catch (cause) {
    throw new Error(
      `Cannot make a table because it takes ${byteCount} bytes of address space, which is no ` +
        'memory: raise or remove the limit of the process (ulimit -v unlimited).',
      { cause },
    );
  }
}

class PlainMemory implements GrowingMemory {
  readonly byteCountMax: number;
  #memory = new ArrayBuffer(0);

  constructor(byteCountMax: number) {
    this.byteCountMax = byteCountMax;
  }

  grow(byteCount: number): ArrayBuffer {
    const former = this.#memory;
    if (former.byteLength < byteCount) {
      this.#memory = new ArrayBuffer(Math.max(byteCount, former.byteLength * 2));
      new Uint8Array(this.#memory).set(new Uint8Array(former));
    }
    return this.#memory;
  }
}
