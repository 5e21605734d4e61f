// An open-addressing index from hashes to row references, grown without pauses: when it is full, a
// table of twice the size takes its place, and each insertion moves a few slots over, until the old
// one is empty. A lookup meanwhile asks both. In a replay, where nobody waits for an answer, all
// slots are moved at once. One flat array, since a directory of smaller tables costs two more loads
// a lookup, each waiting for the one before. A slot is two words, tag and reference, and a tag's
// low bits are its home, so moving reads no rows.
//
// Eight slots are a group, which lies in one cache line. A probe goes from its home round the group
// and only then to the next one: nearly all find what they look for, or that there is none, in the
// line that was loaded ahead. (Probes straight on crossed into the next line for a third of all
// keys, and waited there: that was half of what entering an outcome took.) Owned by one thread.
import { assert } from '../assert.ts';
import { type OrderedMemory, PLAIN_MEMORY, type TableMemory } from './table-memory.ts';

/** A probe longer than this starts growing early, whatever the fill. */
const PROBE_LENGTH_MAX = 256;

const FIRST_SLOT_COUNT = 1024;
const SLOT_BYTES = 8;
/** 8 GiB. */
const SLOTS_MAX = 2 ** 30;
const FILL_MAX = 0.75;

/** From this fill on the next table is ordered: memory that is ready when it is needed. */
const ORDER_FILL = 0.65;

/** Slots moved by each insertion: growth ends long before the new table can be full. */
const MOVED_SLOTS = 16;

/** Words of a group. */
const GROUP_WORDS = 16;
const IN_GROUP = GROUP_WORDS - 1;
const GROUP_SLOTS = GROUP_WORDS / 2;

/**
 * Where a table begins in its memory. The C library puts a large piece 16 bytes behind a page; with
 * these a group is one cache line. On another library's memory all works too, only slower.
 */
const TABLE_OFFSET_BYTES = 48;

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
  #mask = FIRST_SLOT_COUNT * 2 - 1;
  /** The table that is being moved into #table, or an empty one. */
  #old: Int32Array = NO_TABLE;
  #movedTo = 0;
  /** The table that comes next: ordered, then here. */
  #ordered: OrderedMemory | null = null;
  #orderedBytes = 0;
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
  /** Where its way through the group began. */
  #foundStart = 0;
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

  /**
   * Orders a table for so many entries, if the present one is too small: it takes over when it is
   * there and the present one is full, which spares what lies between.
   */
  expect(entryCount: number): void {
    const slotCount = Math.min(SLOTS_MAX, 2 ** Math.ceil(Math.log2(entryCount / FILL_MAX)));
    const byteCount = slotCount * SLOT_BYTES;
    if (byteCount > this.#table.byteLength && this.#ordered === null) this.#order(byteCount);
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
    const home = (tag << 1) & this.#mask;
    this.#tag = tag;
    this.#found = table;
    const reference = this.#scan(table, this.#mask, home, home);
    return reference !== 0 || this.#old === NO_TABLE ? reference : this.#findOld();
  }

  /**
   * Loads the first slot of each tag in `tags`, those at `from` to `until` − 1, `stride` words
   * apart. The result only keeps the compiler from leaving the loads away.
   */
  load(tags: Int32Array, from: number, until: number, stride: number): number {
    const table = this.#table;
    const mask = this.#mask;
    let loaded = 0;
    for (let at = from; at < until; at += stride) {
      loaded ^= table[((tags[at] << 1) & mask) + 1];
    }
    const old = this.#old;
    if (old === NO_TABLE) return loaded;
    const oldMask = old.length - 1;
    for (let at = from; at < until; at += stride) {
      loaded ^= old[((tags[at] << 1) & oldMask) + 1];
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
    let at = (tag << 1) & this.#mask;
    for (let slot = 0; slot < GROUP_SLOTS; slot += 1) {
      if (table[at] === tag) return table[at + 1];
      at = nextInGroup(at);
    }
    return 0;
  }

  /** The reference in the tag's home slot if it is the tag's, or 0: the cheapest guess. */
  atHome(tag: number): number {
    const table = this.#table;
    const home = (tag << 1) & this.#mask;
    return table[home] === tag ? table[home + 1] : 0;
  }

  /** The next reference under the tag of the last find, or 0. Nothing may change in between. */
  findNext(): number {
    const found = this.#found;
    const mask = found.length - 1;
    let at = nextInGroup(this.#foundAt);
    let start = this.#foundStart;
    if (at === start) {
      start = nextGroup(at, mask);
      at = start;
    }
    const reference = this.#scan(found, mask, at, start);
    if (reference !== 0 || found !== this.#table || this.#old === NO_TABLE) return reference;
    return this.#findOld();
  }

  /** Adds a reference ≥ 1; the same pair is never added twice. */
  insert(tag: number, reference: number): void {
    assert(reference >= 1, 'references start at 1');
    if (this.#old !== NO_TABLE) this.#moveSome(MOVED_SLOTS * 2);
    this.#count(place(this.#table, this.#mask, tag, reference), tag);
  }

  /**
   * As `insert`, under the tag of the last find, which has come to its end (0): that slot is taken.
   * Nothing may have changed in between.
   */
  insertFound(reference: number): void {
    const table = this.#table;
    const tag = this.#tag;
    const at = this.#foundAt;
    if (this.#old !== NO_TABLE) {
      this.insert(tag, reference);
      return;
    }
    assert(this.#found === table && table[at + 1] === 0, 'a find has come to its end');
    table[at] = tag;
    table[at + 1] = reference;
    this.#count(at, tag);
  }

  /** Counts an entry that was put into #table. */
  #count(at: number, tag: number): void {
    this.#entryCount += 1;
    const probeLength = probeLengthOf(at, (tag << 1) & this.#mask, this.#mask);
    if (probeLength > this.#probeLengthMax) this.#probeLengthMax = probeLength;
    if (this.#old !== NO_TABLE) return;
    if (this.#entryCount >= this.#orderAt && this.#ordered === null) this.#orderNext();
    if (this.#entryCount >= this.#growAt || probeLength > PROBE_LENGTH_MAX) this.#grow();
  }

  /** Takes a reference out; no tombstones are left but in a table that is being moved. */
  remove(tag: number, reference: number): void {
    const at = positionOf(this.#table, tag, reference);
    const oldAt = this.#old === NO_TABLE ? -1 : positionOf(this.#old, tag, reference);
    assert(at >= 0 || oldAt >= 0, 'a removed reference is in its table');
    if (at >= 0) takeOut(this.#table, this.#mask, at);
    if (oldAt >= 0) this.#old[oldAt + 1] = REMOVED;
    this.#entryCount -= 1;
  }

  #findOld(): number {
    const old = this.#old;
    const mask = old.length - 1;
    const home = (this.#tag << 1) & mask;
    this.#found = old;
    return this.#scan(old, mask, home, home);
  }

  /** Goes on from a slot, whose group was entered at `groupStart`. */
  #scan(table: Int32Array, mask: number, from: number, groupStart: number): number {
    const tag = this.#tag;
    let at = from;
    let start = groupStart;
    for (;;) {
      const reference = table[at + 1];
      if (reference === 0 || (table[at] === tag && reference !== REMOVED)) {
        this.#foundAt = at;
        this.#foundStart = start;
        return reference;
      }
      at = nextInGroup(at);
      if (at === start) {
        start = nextGroup(at, mask);
        at = start;
      }
    }
  }

  #orderNext(): void {
    assert(this.#table.length < SLOTS_MAX * 2, 'a table of slots has a bound');
    this.#order(this.#table.byteLength * 2);
  }

  #order(byteCount: number): void {
    this.#orderedBytes = byteCount;
    this.#ordered = this.#memory.order(byteCount + TABLE_OFFSET_BYTES);
  }

  #grow(): void {
    if (this.#ordered === null) this.#orderNext();
    const doubleBytes = this.#table.byteLength * 2;
    // What is more than double may take its time: until then the table doubles as ever.
    this.#takeOrdered(this.#orderedBytes === doubleBytes);
    this.#old = this.#table;
    if (this.#next === NO_TABLE) {
      const memory = new ArrayBuffer(doubleBytes + TABLE_OFFSET_BYTES);
      this.#table = new Int32Array(memory, TABLE_OFFSET_BYTES);
    } else {
      this.#table = this.#next;
      this.#next = NO_TABLE;
      this.#ordered = null;
    }
    this.#mask = this.#table.length - 1;
    this.#movedTo = 0;
    const slotCount = this.#table.length >>> 1;
    this.#orderAt = Math.floor(slotCount * ORDER_FILL);
    this.#growAt = Math.floor(slotCount * FILL_MAX);
    while (this.#growsAtOnce && this.#old !== NO_TABLE) this.#moveSome(this.#old.length);
  }

  #takeOrdered(isNeeded: boolean): void {
    if (this.#ordered === null || this.#next !== NO_TABLE) return;
    const memory = this.#ordered.take(isNeeded);
    if (memory !== null) this.#next = new Int32Array(memory, TABLE_OFFSET_BYTES);
  }

  #moveSome(wordCount: number): void {
    const old = this.#old;
    const end = Math.min(old.length, this.#movedTo + wordCount);
    for (let at = this.#movedTo; at < end; at += 2) {
      const reference = old[at + 1];
      if (reference > 0) place(this.#table, this.#mask, old[at], reference);
    }
    this.#movedTo = end;
    if (end === old.length) {
      this.#old = NO_TABLE;
      this.#found = NO_TABLE;
    }
  }
}

function nextInGroup(at: number): number {
  return (at & ~IN_GROUP) | ((at + 2) & IN_GROUP);
}

/** The first slot of the next group. */
function nextGroup(at: number, mask: number): number {
  return ((at & ~IN_GROUP) + GROUP_WORDS) & mask;
}

/** Puts the pair into the first free slot on its way and returns the place. */
function place(table: Int32Array, mask: number, tag: number, reference: number): number {
  let start = (tag << 1) & mask;
  let at = start;
  while (table[at + 1] !== 0) {
    at = nextInGroup(at);
    if (at === start) {
      start = nextGroup(at, mask);
      at = start;
    }
  }
  table[at] = tag;
  table[at + 1] = reference;
  return at;
}

/** Slots that a probe from its home to a place looks at. */
function probeLengthOf(at: number, home: number, mask: number): number {
  const groups = ((at & ~IN_GROUP) - (home & ~IN_GROUP)) & mask;
  const from = groups === 0 ? home : 0;
  return groups / 2 + (((at - from) & IN_GROUP) >>> 1) + 1;
}

/** Where the pair stands, or −1. */
function positionOf(table: Int32Array, tag: number, reference: number): number {
  const mask = table.length - 1;
  let start = (tag << 1) & mask;
  let at = start;
  while (table[at] !== tag || table[at + 1] !== reference) {
    if (table[at + 1] === 0) return -1;
    at = nextInGroup(at);
    if (at === start) {
      start = nextGroup(at, mask);
      at = start;
    }
  }
  return at;
}

/**
 * Empties a slot. What may have come past it stands in its group or, as long as groups are full,
 * in those that follow: all of that is put in again.
 */
function takeOut(table: Int32Array, mask: number, removedAt: number): void {
  const pairs: number[] = [];
  let group = removedAt & ~IN_GROUP;
  let isFull = true;
  while (isFull) {
    for (let at = group; at < group + GROUP_WORDS; at += 2) {
      if (table[at + 1] === 0) isFull = false;
      else if (at !== removedAt) pairs.push(table[at], table[at + 1]);
      table[at + 1] = 0;
    }
    group = nextGroup(group, mask);
  }
  for (let pair = 0; pair < pairs.length; pair += 2) {
    place(table, mask, pairs[pair], pairs[pair + 1]);
  }
}
