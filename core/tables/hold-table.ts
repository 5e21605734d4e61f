// The unfinished holds of a shard: what is left of each, and a heap of those that expire, ordered
// by (expiry, sequence). A hold is named by the key of its own transaction (rule 31). Finished ones
// leave; their outcome stays in the transaction index. Owned by the shard's thread.
import { assert } from '../assert.ts';
import { FlatRows, TABLE_BYTES_MAX } from './flat-rows.ts';
import { HashSlots, SLOTS_BYTES_MAX } from './hash-slots.ts';
import { PLAIN_MEMORY, type TableMemory } from './table-memory.ts';

// A row of 48 bytes: words 0–3 key; 4 account row; 5 place in the heap + 1 (0: never expires);
// doubles 3 what is left, 4 expiry (ms), 5 the hold record's sequence.
const ROW_WORDS = 12;
const ACCOUNT_WORD = 4;
const HEAP_WORD = 5;
const REMAINING_DOUBLE = 3;
const EXPIRES_DOUBLE = 4;
const SEQUENCE_DOUBLE = 5;

/** What a new hold is made of. */
export interface HoldFacts {
  readonly key: Int32Array;
  readonly accountRow: number;
  readonly amountMinor: number;
  /** Time in ms at which what is left is released; 0 for never. */
  readonly expiresAtMs: number;
  readonly sequence: number;
}

/** Unfinished holds by key, and by expiry. */
export class HoldTable {
  readonly #rows: FlatRows;
  readonly #slots: HashSlots;
  #heap = new Int32Array(1024);
  #heapCount = 0;

  constructor(memory: TableMemory = PLAIN_MEMORY) {
    this.#rows = new FlatRows(ROW_WORDS, memory.take(TABLE_BYTES_MAX));
    this.#slots = new HashSlots(memory.take(SLOTS_BYTES_MAX));
  }

  get rowCount(): number {
    return this.#rows.rowCount;
  }

  get byteCount(): number {
    return this.#rows.byteCount + this.#slots.byteCount + this.#heap.byteLength;
  }

  /** The row of an unfinished hold, or −1. */
  find(key: Int32Array, keyAt: number): number {
    let reference = this.#slots.find(key[keyAt]);
    while (reference !== 0) {
      const words = this.#rows.words;
      const at = this.#rows.at(reference - 1);
      if (words[at + 1] === key[keyAt + 1] && words[at + 2] === key[keyAt + 2]) {
        if (words[at] === key[keyAt] && words[at + 3] === key[keyAt + 3]) return reference - 1;
      }
      reference = this.#slots.findNext();
    }
    return -1;
  }

  add(facts: HoldFacts): number {
    const row = this.#rows.allocate();
    const words = this.#rows.words;
    const at = this.#rows.at(row);
    for (let word = 0; word < 4; word += 1) words[at + word] = facts.key[word];
    words[at + ACCOUNT_WORD] = facts.accountRow;
    words[at + HEAP_WORD] = 0;
    const floats = this.#rows.doubles;
    floats[(at >>> 1) + REMAINING_DOUBLE] = facts.amountMinor;
    floats[(at >>> 1) + EXPIRES_DOUBLE] = facts.expiresAtMs;
    floats[(at >>> 1) + SEQUENCE_DOUBLE] = facts.sequence;
    this.#slots.insert(facts.key[0], row + 1);
    if (facts.expiresAtMs > 0) this.#push(row);
    return row;
  }

  /** Takes a finished hold out. */
  remove(row: number): void {
    const words = this.#rows.words;
    const at = this.#rows.at(row);
    this.#slots.remove(words[at], row + 1);
    const place = words[at + HEAP_WORD] - 1;
    if (place >= 0) this.#takeFromHeap(place);
    this.#rows.free(row);
  }

  accountRow(row: number): number {
    return this.#rows.words[this.#rows.at(row) + ACCOUNT_WORD];
  }

  remainingMinor(row: number): number {
    return this.#double(row, REMAINING_DOUBLE);
  }

  setRemaining(row: number, remainingMinor: number): void {
    this.#rows.doubles[(this.#rows.at(row) >>> 1) + REMAINING_DOUBLE] = remainingMinor;
  }

  expiresAtMs(row: number): number {
    return this.#double(row, EXPIRES_DOUBLE);
  }

  sequence(row: number): number {
    return this.#double(row, SEQUENCE_DOUBLE);
  }

  /** A copy of the hold's key. */
  key(row: number): Int32Array {
    return this.#rows.image(row).slice(0, 4);
  }

  /** The hold that expires first, or −1 when none ever does. */
  firstToExpire(): number {
    return this.#heapCount === 0 ? -1 : this.#heap[0];
  }

  #double(row: number, double: number): number {
    return this.#rows.doubles[(this.#rows.at(row) >>> 1) + double];
  }

  #push(row: number): void {
    if (this.#heapCount === this.#heap.length) {
      const grown = new Int32Array(this.#heap.length * 2);
      grown.set(this.#heap);
      this.#heap = grown;
    }
    this.#heapCount += 1;
    this.#siftUp(this.#heapCount - 1, row);
  }

  #takeFromHeap(place: number): void {
    assert(place < this.#heapCount, 'a hold with an expiry stands in the heap');
    this.#heapCount -= 1;
    const last = this.#heap[this.#heapCount];
    if (place === this.#heapCount) return;
    const parent = (place - 1) >> 1;
    if (place > 0 && this.#isBefore(last, this.#heap[parent])) this.#siftUp(place, last);
    else this.#siftDown(place, last);
  }

  #siftUp(from: number, row: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(row, this.#heap[parent])) break;
      this.#settle(place, this.#heap[parent]);
      place = parent;
    }
    this.#settle(place, row);
  }

  #siftDown(from: number, row: number): void {
    let place = from;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= this.#heapCount) break;
      if (child + 1 < this.#heapCount && this.#isBefore(this.#heap[child + 1], this.#heap[child])) {
        child += 1;
      }
      if (!this.#isBefore(this.#heap[child], row)) break;
      this.#settle(place, this.#heap[child]);
      place = child;
    }
    this.#settle(place, row);
  }

  #settle(place: number, row: number): void {
    this.#heap[place] = row;
    this.#rows.words[this.#rows.at(row) + HEAP_WORD] = place + 1;
  }

  #isBefore(row: number, other: number): boolean {
    const difference = this.expiresAtMs(row) - this.expiresAtMs(other);
    return difference === 0 ? this.sequence(row) < this.sequence(other) : difference < 0;
  }
}
