// An open-addressing index from hashes to row references, grown without long pauses: the slots are
// split over many sub-tables by some bits of the hash, and only one sub-table doubles at a time.
// At 40 million entries that is 2 ms of work instead of a pause of seconds (design law 9).
// A slot is two words, tag and reference, so that growing reads no rows. Owned by one thread.
import { assert } from '../assert.ts';

/** A probe longer than this doubles its sub-table early, whatever its fill. */
const PROBE_LENGTH_MAX = 256;

const FIRST_SLOT_COUNT = 16;

/**
 * Maps (select word, tag word) to references ≥ 1. Several references may share a tag: find gives
 * the first, findNext the others, and the caller compares the rows' keys.
 */
export class HashSlots {
  readonly #selectShift: number;
  readonly #tables: Int32Array[];
  readonly #entryCounts: Int32Array;
  #entryCount = 0;
  #slotCount = 0;
  #probeLengthMax = 0;
  #table: Int32Array;
  #at = 0;
  #tag = 0;

  /** The number of sub-tables is a power of two; 1024 for what may pass a million entries. */
  constructor(tableCount: number) {
    assert(
      tableCount >= 2 && (tableCount & (tableCount - 1)) === 0,
      'sub-tables are a power of two',
    );
    this.#selectShift = Math.clz32(tableCount) + 1;
    this.#tables = Array.from({ length: tableCount }, () => new Int32Array(FIRST_SLOT_COUNT * 2));
    this.#entryCounts = new Int32Array(tableCount);
    this.#slotCount = FIRST_SLOT_COUNT * tableCount;
    this.#table = this.#tables[0];
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  get byteCount(): number {
    return this.#slotCount * 8;
  }

  /** The longest probe of an insertion so far, in slots. */
  get probeLengthMax(): number {
    return this.#probeLengthMax;
  }

  /**
   * The reference in the tag's home slot, whosever it is: for passes that load cache lines ahead.
   * No loop and no branch, so that many of these run at once.
   */
  peek(select: number, tag: number): number {
    const table = this.#tables[select >>> this.#selectShift];
    return table[((tag << 1) & (table.length - 1)) + 1];
  }

  /** The first reference stored under this tag, or 0. */
  find(select: number, tag: number): number {
    const table = this.#tables[select >>> this.#selectShift];
    this.#table = table;
    this.#tag = tag;
    return this.#scan(table, (tag << 1) & (table.length - 1), tag);
  }

  /** The next reference under the tag of the last find, or 0. Nothing may change in between. */
  findNext(): number {
    const table = this.#table;
    return this.#scan(table, (this.#at + 2) & (table.length - 1), this.#tag);
  }

  /** Adds a reference ≥ 1; the same pair is never added twice. */
  insert(select: number, tag: number, reference: number): void {
    assert(reference >= 1, 'references start at 1');
    const number = select >>> this.#selectShift;
    if (this.#isFull(number)) this.#grow(number);
    let probeLength = place(this.#tables[number], tag, reference);
    while (probeLength === 0) {
      this.#grow(number);
      probeLength = place(this.#tables[number], tag, reference);
    }
    if (probeLength > this.#probeLengthMax) this.#probeLengthMax = probeLength;
    this.#entryCounts[number] += 1;
    this.#entryCount += 1;
  }

  /** Takes a reference out and closes the gap, so that no tombstones pile up. */
  remove(select: number, tag: number, reference: number): void {
    const number = select >>> this.#selectShift;
    const table = this.#tables[number];
    const mask = table.length - 1;
    let at = (tag << 1) & mask;
    while (table[at] !== tag || table[at + 1] !== reference) {
      assert(table[at + 1] !== 0, 'a removed reference is in its table');
      at = (at + 2) & mask;
    }
    closeGap(table, at);
    this.#entryCounts[number] -= 1;
    this.#entryCount -= 1;
  }

  #scan(table: Int32Array, from: number, tag: number): number {
    const mask = table.length - 1;
    let at = from;
    for (;;) {
      const reference = table[at + 1];
      if (reference === 0 || table[at] === tag) {
        this.#at = at;
        return reference;
      }
      at = (at + 2) & mask;
    }
  }

  /** Sub-tables double at fills between 0.6 and 0.8, so that they don't all double together. */
  #isFull(number: number): boolean {
    const slotCount = this.#tables[number].length >>> 1;
    const fill = 0.6 + (0.2 * number) / this.#tables.length;
    return this.#entryCounts[number] >= slotCount * fill;
  }

  /** Doubles a sub-table, and doubles again where that would put an entry beyond the bound. */
  #grow(number: number): void {
    const old = this.#tables[number];
    let grown = new Int32Array(old.length * 2);
    while (!placeAll(grown, old)) grown = new Int32Array(grown.length * 2);
    this.#tables[number] = grown;
    this.#slotCount += (grown.length - old.length) >>> 1;
  }
}

/** Puts all pairs of a table into an empty one; false where one found no place within the bound. */
function placeAll(table: Int32Array, old: Int32Array): boolean {
  for (let at = 0; at < old.length; at += 2) {
    const reference = old[at + 1];
    if (reference !== 0 && place(table, old[at], reference) === 0) return false;
  }
  return true;
}

/**
 * Puts the pair into the first free slot and returns the probe's length, or 0 where that would pass
 * the bound in a table that is not small.
 */
function place(table: Int32Array, tag: number, reference: number): number {
  const mask = table.length - 1;
  let at = (tag << 1) & mask;
  let probeLength = 1;
  while (table[at + 1] !== 0) {
    at = (at + 2) & mask;
    probeLength += 1;
  }
  if (probeLength > PROBE_LENGTH_MAX && table.length < 1 << 26) return 0;
  table[at] = tag;
  table[at + 1] = reference;
  return probeLength;
}

/** Moves back what stands behind a removed slot, as long as that shortens its way. */
function closeGap(table: Int32Array, removedAt: number): void {
  const mask = table.length - 1;
  let gap = removedAt;
  let at = (gap + 2) & mask;
  while (table[at + 1] !== 0) {
    const home = (table[at] << 1) & mask;
    if (((at - home) & mask) >= ((at - gap) & mask)) {
      table[gap] = table[at];
      table[gap + 1] = table[at + 1];
      gap = at;
    }
    at = (at + 2) & mask;
  }
  table[gap] = 0;
  table[gap + 1] = 0;
}
