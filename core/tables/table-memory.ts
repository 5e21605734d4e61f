// Where tables keep their rows: memory that grows and is kept for good. A table grows it well
// before it needs it, so that whoever gives it can have its pages made by another thread meanwhile:
// the first write to a page of fresh memory takes the kernel 2.5 to 20 µs, a quarter of a lane's
// time at full load.

/** A giver of memory. For rows it grows; a table of slots is given up for a larger one. */
export interface TableMemory {
  /** The memory of one table, empty yet, which never has more than `byteCountMax`. */
  take(byteCountMax: number): GrowingMemory;

  /** Orders so many zeros, which will be needed soon. */
  order(byteCount: number): OrderedMemory;
}

/** Memory that is being made. */
export interface OrderedMemory {
  /** The memory, once; null while it isn't ready, unless it is needed now. */
  take(isNeeded: boolean): ArrayBuffer | null;
}

/** The memory of one table. */
export interface GrowingMemory {
  /** At least so many bytes: those there were, whether in place or copied, and zeros. */
  grow(byteCount: number): ArrayBufferLike;
}

/** Plain memory, copied as it grows; its pages are made when they are first written to. */
export const PLAIN_MEMORY: TableMemory = {
  take: () => new PlainMemory(),
  order: plainOrder,
};

/** An order of memory that is plain. */
export function plainOrder(byteCount: number): OrderedMemory {
  return { take: () => new ArrayBuffer(byteCount) };
}

class PlainMemory implements GrowingMemory {
  #memory = new ArrayBuffer(0);

  grow(byteCount: number): ArrayBuffer {
    const former = this.#memory;
    if (former.byteLength < byteCount) {
      this.#memory = new ArrayBuffer(Math.max(byteCount, former.byteLength * 2));
      new Uint8Array(this.#memory).set(new Uint8Array(former));
    }
    return this.#memory;
  }
}
