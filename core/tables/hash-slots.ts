// An open-addressing index from hashes to row references, grown without pauses: when it is full, a
// table of twice the size takes its place, and each insertion moves a few slots over, until the old
// one is empty. A lookup meanwhile asks both. In a replay, where nobody waits for an answer, all
// slots are moved at once. One flat array, since a directory of smaller tables
// costs two more loads a lookup, each waiting for the one before. A slot is two words, tag and
// reference, and a tag's low bits are its home, so moving reads no rows. Owned by one thread.
import { assert } from '../assert.ts';
import { type OrderedMemory, PLAIN_MEMORY, type TableMemory } from './table-memory.ts';

/** A probe longer than this starts growing early, whatever the fill. */
const PROBE_LENGTH_MAX = 256;

const FIRST_SLOT_COUNT = 1024;
const FILL_MAX = 0.75;

/** From this fill on the next table is ordered: memory that is ready when it is needed. */
const ORDER_FILL = 0.65;

/** Slots moved by each insertion: growth ends long before the new table can be full. */
const MOVED_SLOTS = 16;

/** Slots that a guess looks at: they lie in one cache line, or in two that follow each other. */
const GUESSED_SLOTS = 6;

/** Stands for a reference that was removed from a table that is being moved. */
const REMOVED = -1;

const NO_TABLE: Int32Array = new Int32Array(0);

/**
 * Maps tags (32 bits of a hash) to references from 1 to 2^31 − 1. Several references may share a
 * tag: find gives the first, findNext the others, and the caller compares the rows' keys. While the
 * table grows, a reference may be given twice.
 */
export class HashSlots {
  readonly #memory: TableMemory;
  #table: Int32Array = new Int32Array(FIRST_SLOT_COUNT * 2);
  /** The table that is being moved into #table, or an empty one. */
  #old: Int32Array = NO_TABLE;
  #movedTo = 0;
  /** The table that comes next: ordered, then here. */
  #ordered: OrderedMemory | null = null;
  #next: Int32Array = NO_TABLE;
  #entryCount = 0;
  /** Entries at which the next table is ordered, and at which it takes over. */
  #orderAt = Math.floor(FIRST_SLOT_COUNT * ORDER_FILL);
  #growAt = Math.floor(FIRST_SLOT_COUNT * FILL_MAX);
  #probeLengthMax = 0;
  #growsAtOnce = false;
  // Where the last find stopped.
  #found: Int32Array = NO_TABLE;
  #foundAt = 0;
  #tag = 0;

  /** Where its tables come from. */
  constructor(memory: TableMemory = PLAIN_MEMORY) {
    this.#memory = memory;
  }

  /**
   * Takes what was ordered if it is ready. A large piece of memory that arrives may have V8 look
   * for garbage, for some ms: to be called when nothing else is being done.
   */
  takeOrdered(): void {
    this.#takeOrdered(false);
  }

  /** Whether growing moves all slots at once: half the time over all, but a pause each time. */
  set growsAtOnce(growsAtOnce: boolean) {
    this.#growsAtOnce = growsAtOnce;
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  get byteCount(): number {
    return this.#table.byteLength + this.#old.byteLength + this.#next.byteLength;
  }

  /** The longest probe of an insertion so far, in slots. */
  get probeLengthMax(): number {
    return this.#probeLengthMax;
  }

  /** Whether a larger table is being filled. */
  get isGrowing(): boolean {
    return this.#old !== NO_TABLE;
  }

  /** The first reference stored under this tag, or 0. */
  find(tag: number): number {
    const table = this.#table;
    this.#tag = tag;
    this.#found = table;
    const reference = this.#scan(table, (tag << 1) & (table.length - 1), tag);
    return reference !== 0 || this.#old === NO_TABLE ? reference : this.#findOld(tag);
  }

  /**
   * Loads the first slot of each tag in `tags`, those at `from` to `until` − 1, `stride` words
   * apart. The result only keeps the compiler from leaving the loads away.
   */
  load(tags: Int32Array, from: number, until: number, stride: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    let loaded = this.#old === NO_TABLE ? 0 : this.#loadOld(tags, from, until, stride);
    for (let at = from; at < until; at += stride) {
      loaded ^= table[((tags[at] << 1) & mask) + 1];
    }
    return loaded;
  }

  /**
   * A reference that probably is the tag's first, or 0: it looks at a few slots only, and at none
   * for the tag 0, which stands for no key.
   */
  guess(tag: number): number {
    if (tag === 0) return 0;
    const table = this.#table;
    const mask = table.length - 1;
    let at = (tag << 1) & mask;
    for (let slot = 0; slot < GUESSED_SLOTS; slot += 1) {
      if (table[at] === tag) return table[at + 1];
      at = (at + 2) & mask;
    }
    return 0;
  }

  /** The next reference under the tag of the last find, or 0. Nothing may change in between. */
  findNext(): number {
    const found = this.#found;
    const tag = this.#tag;
    const reference = this.#scan(found, (this.#foundAt + 2) & (found.length - 1), tag);
    if (reference !== 0 || found !== this.#table || this.#old === NO_TABLE) return reference;
    return this.#findOld(tag);
  }

  /** Adds a reference ≥ 1; the same pair is never added twice. */
  insert(tag: number, reference: number): void {
    assert(reference >= 1, 'references start at 1');
    if (this.#old !== NO_TABLE) this.#moveSome(MOVED_SLOTS * 2);
    const probeLength = place(this.#table, tag, reference);
    this.#entryCount += 1;
    if (probeLength > this.#probeLengthMax) this.#probeLengthMax = probeLength;
    if (this.#old !== NO_TABLE) return;
    if (this.#entryCount >= this.#orderAt && this.#ordered === null) this.#orderNext();
    if (this.#entryCount >= this.#growAt || probeLength > PROBE_LENGTH_MAX) this.#grow();
  }

  /** Takes a reference out and closes the gap, so that no tombstones pile up. */
  remove(tag: number, reference: number): void {
    const at = positionOf(this.#table, tag, reference);
    const oldAt = this.#old === NO_TABLE ? -1 : positionOf(this.#old, tag, reference);
    assert(at >= 0 || oldAt >= 0, 'a removed reference is in its table');
    if (at >= 0) closeGap(this.#table, at);
    if (oldAt >= 0) this.#old[oldAt + 1] = REMOVED;
    this.#entryCount -= 1;
  }

  #loadOld(tags: Int32Array, from: number, until: number, stride: number): number {
    const old = this.#old;
    const mask = old.length - 1;
    let loaded = 0;
    for (let at = from; at < until; at += stride) {
      loaded ^= old[((tags[at] << 1) & mask) + 1];
    }
    return loaded;
  }

  #findOld(tag: number): number {
    const old = this.#old;
    this.#found = old;
    return this.#scan(old, (tag << 1) & (old.length - 1), tag);
  }

  #scan(table: Int32Array, from: number, tag: number): number {
    const mask = table.length - 1;
    let at = from;
    for (;;) {
      const reference = table[at + 1];
      if (reference === 0 || (table[at] === tag && reference !== REMOVED)) {
        this.#foundAt = at;
        return reference;
      }
      at = (at + 2) & mask;
    }
  }

  #orderNext(): void {
    assert(this.#table.length < 2 ** 31, 'a table of slots has a bound');
    this.#ordered = this.#memory.order(this.#table.byteLength * 2);
  }

  #grow(): void {
    if (this.#ordered === null) this.#orderNext();
    this.#takeOrdered(true);
    this.#old = this.#table;
    this.#table = this.#next;
    this.#next = NO_TABLE;
    this.#ordered = null;
    this.#movedTo = 0;
    const slotCount = this.#table.length >>> 1;
    this.#orderAt = Math.floor(slotCount * ORDER_FILL);
    this.#growAt = Math.floor(slotCount * FILL_MAX);
    while (this.#growsAtOnce && this.#old !== NO_TABLE) this.#moveSome(this.#old.length);
  }

  #takeOrdered(isNeeded: boolean): void {
    if (this.#ordered === null || this.#next !== NO_TABLE) return;
    const memory = this.#ordered.take(isNeeded);
    if (memory !== null) this.#next = new Int32Array(memory);
  }

  #moveSome(wordCount: number): void {
    const old = this.#old;
    const end = Math.min(old.length, this.#movedTo + wordCount);
    for (let at = this.#movedTo; at < end; at += 2) {
      const reference = old[at + 1];
      if (reference > 0) place(this.#table, old[at], reference);
    }
    this.#movedTo = end;
    if (end === old.length) {
      this.#old = NO_TABLE;
      this.#found = NO_TABLE;
    }
  }
}

/** Puts the pair into the first free slot and returns the probe's length. */
function place(table: Int32Array, tag: number, reference: number): number {
  const mask = table.length - 1;
  let at = (tag << 1) & mask;
  let probeLength = 1;
  while (table[at + 1] !== 0) {
    at = (at + 2) & mask;
    probeLength += 1;
  }
  table[at] = tag;
  table[at + 1] = reference;
  return probeLength;
}

/** Where the pair stands, or −1. */
function positionOf(table: Int32Array, tag: number, reference: number): number {
  const mask = table.length - 1;
  let at = (tag << 1) & mask;
  while (table[at] !== tag || table[at + 1] !== reference) {
    if (table[at + 1] === 0) return -1;
    at = (at + 2) & mask;
  }
  return at;
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
