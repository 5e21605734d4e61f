// Where tables take the memory that they keep for good. A table asks for a piece well before it
// needs it, so that whoever gives it can have its pages made by another thread meanwhile: the first
// write to a page of fresh memory takes the kernel 2.5 to 20 µs, a quarter of a lane's time at full
// load.

/** A giver of memory. */
export interface TableMemory {
  /** A piece of zeros that the table keeps. */
  take(byteCount: number): ArrayBufferLike;
}

/** Plain memory, whose pages are made when they are first written to. */
export const PLAIN_MEMORY: TableMemory = { take: (byteCount) => new ArrayBuffer(byteCount) };
