// An open-addressing index from hashes to row references, in one piece of memory that doubles in
// place and without pauses: when it is full, the next insertions split its groups one after the
// other, each into itself and the one half a table behind it, as a tag's next bit says. A slot is
// two words, tag and reference, and a tag's low bits are its home, so splitting reads no rows.
//
// Eight slots are a group, which lies in one cache line. A probe goes from its home round the group
// and only then to the next one: nearly all find what they look for, or that there is none, in the
// line that was loaded ahead. (Probes straight on crossed into the next line for a third of all
// keys, and waited there: that was half of what entering an outcome took.) Owned by one thread.
import { assert } from '../assert.ts';
import { type GrowingMemory, PLAIN_MEMORY } from './table-memory.ts';

/** A probe longer than this starts growing early, whatever the fill. */
const PROBE_LENGTH_MAX = 256;

const FIRST_SLOT_COUNT = 1024;
/** Bytes of a slot. */
export const SLOT_BYTES = 8;
const FILL_MAX = 0.75;

/** The most that a table has: 2^29 slots. */
export const SLOTS_BYTES_MAX: number = 2 ** 32;

/** More than there is room for. */
const ENTRIES_MAX: number = 2 ** 30;

/** From this fill on the memory for the double is there, so that its pages can be made. */
const AHEAD_FILL = 0.65;

/** Words of a group. */
const GROUP_WORDS = 16;
/** Bytes of a group. */
export const GROUP_BYTES: number = GROUP_WORDS * 4;
const IN_GROUP = GROUP_WORDS - 1;
const GROUP_SLOTS = GROUP_WORDS / 2;

/** Groups that each insertion splits: so many that the others are hardly fuller than before. */
const SPLIT_GROUPS = 8;
/** Groups that are split in one go where nobody waits. */
const SPLIT_GROUPS_AT_ONCE = 64;

/**
 * A table that was told what is to come goes there from this part of it on: until then the pages of
 * its memory are being made, and doubling what is small costs little.
 */
const EXPECTED_PART = 32;

/**
 * Maps tags (32 bits of a hash) to references from 1 to 2^31 − 1. Several references may share a
 * tag: find gives the first, findNext the others, and the caller compares the rows' keys.
 */
export class HashSlots {
  readonly #memory: GrowingMemory;
  #table: Int32Array = NO_TABLE;
  /** Words of the table less 1. */
  #mask = FIRST_SLOT_COUNT * 2 - 1;
  /** The same of the half that is being split; when nothing is, of the whole. */
  #lowMask = FIRST_SLOT_COUNT * 2 - 1;
  /** Homes in that half before this place were split. */
  #splitTo = FIRST_SLOT_COUNT * 2;
  #entryCount = 0;
  /** Entries at which memory is taken ahead, and at which the table doubles. */
  #aheadAt = 0;
  #growAt = 0;
  #probeLengthMax = 0;
  /** Where the last find stopped, and where its way through the group began. */
  #foundAt = 0;
  #foundStart = 0;
  #tag = 0;
  /** Pairs that are being put in again, and how many words they take. */
  #pairs = new Int32Array(SPLIT_GROUPS_AT_ONCE * GROUP_WORDS);
  #pairWords = 0;
  #expectedSlots = 0;

  constructor(memory: GrowingMemory = PLAIN_MEMORY.take(SLOTS_BYTES_MAX)) {
    assert(memory.byteCountMax <= SLOTS_BYTES_MAX, 'places of words have 31 bits');
    this.#memory = memory;
    this.#useMemory(FIRST_SLOT_COUNT);
    this.#setBounds();
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  get byteCount(): number {
    return this.#table.byteLength;
  }

  /** The longest probe of an insertion so far, in slots. */
  get probeLengthMax(): number {
    return this.#probeLengthMax;
  }

  /** Whether the table was doubled and some of its groups are still to be split. */
  get isGrowing(): boolean {
    return this.#lowMask !== this.#mask;
  }

  /** The first reference stored under this tag, or 0. */
  find(tag: number): number {
    const home = this.#homeOf(tag);
    this.#tag = tag;
    return this.#scan(home, home);
  }

  /**
   * Loads the first slot of each tag in `tags`, those at `from` to `until` − 1, `stride` words
   * apart. The result only keeps the compiler from leaving the loads away.
   */
  load(tags: Int32Array, from: number, until: number, stride: number): number {
    const table = this.#table;
    const mask = this.#mask;
    const lowMask = this.#lowMask;
    const splitTo = this.#splitTo;
    let loaded = 0;
    for (let at = from; at < until; at += stride) {
      const place = tags[at] << 1;
      const low = place & lowMask;
      loaded ^= table[(low < splitTo ? place & mask : low) + 1];
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
    let at = this.#homeOf(tag);
    for (let slot = 0; slot < GROUP_SLOTS; slot += 1) {
      if (table[at] === tag) return table[at + 1];
      at = nextInGroup(at);
    }
    return 0;
  }

  /** The next reference under the tag of the last find, or 0. Nothing may change in between. */
  findNext(): number {
    let at = nextInGroup(this.#foundAt);
    let start = this.#foundStart;
    if (at === start) {
      start = nextGroup(at, this.#mask);
      at = start;
    }
    return this.#scan(at, start);
  }

  /** Adds a reference ≥ 1; the same pair is never added twice. */
  insert(tag: number, reference: number): void {
    assert(reference >= 1, 'references start at 1');
    if (this.isGrowing) this.#split(SPLIT_GROUPS);
    this.#count(this.#place(tag, reference), tag);
  }

  /** Takes memory for so many entries, to grow there without the sizes that lie between. */
  expect(entryCount: number): void {
    const slotCount = 2 ** Math.ceil(Math.log2(entryCount / FILL_MAX));
    if (slotCount <= this.#slotCount || slotCount * SLOT_BYTES > SLOTS_BYTES_MAX) return;
    this.#expectedSlots = slotCount;
    this.#useMemory(slotCount);
  }

  /**
   * The slots' bytes less 1, for a kernel that puts in up to `count` entries by itself: until it
   * has, nothing else may change. See kernel/play-code.ts.
   */
  makeRoom(count: number): number {
    this.finishGrowing();
    while (this.#entryCount + count >= this.#growAt) {
      this.#grow();
      this.finishGrowing();
    }
    return this.#slotCount * SLOT_BYTES - 1;
  }

  /** Tells of entries that the kernel put in, and of groups that it passed at most for one. */
  noteEntered(count: number, groupsPassed: number): void {
    this.#entryCount += count;
    this.#probeLengthMax = Math.max(this.#probeLengthMax, groupsPassed * GROUP_SLOTS);
    if (this.#entryCount >= this.#aheadAt) this.#takeAhead();
    if (groupsPassed * GROUP_SLOTS > PROBE_LENGTH_MAX) this.#grow();
  }

  /** Ends growing at once, which takes some ns an entry. */
  finishGrowing(): void {
    while (this.isGrowing) this.#split(SPLIT_GROUPS_AT_ONCE);
  }

  /** Takes a reference out; no tombstones are left. */
  remove(tag: number, reference: number): void {
    const removedAt = this.#positionOf(tag, reference);
    assert(removedAt >= 0, 'a removed reference is in its table');
    const group = removedAt & ~IN_GROUP;
    this.#takeOut(group, group + GROUP_WORDS, removedAt);
    this.#putBack();
    this.#entryCount -= 1;
  }

  #homeOf(tag: number): number {
    const place = tag << 1;
    const low = place & this.#lowMask;
    return low < this.#splitTo ? place & this.#mask : low;
  }

  /** Goes on from a slot, whose group was entered at `groupStart`. */
  #scan(from: number, groupStart: number): number {
    const table = this.#table;
    const tag = this.#tag;
    let at = from;
    let start = groupStart;
    for (;;) {
      const reference = table[at + 1];
      if (reference === 0 || table[at] === tag) {
        this.#foundAt = at;
        this.#foundStart = start;
        return reference;
      }
      at = nextInGroup(at);
      if (at === start) {
        start = nextGroup(at, this.#mask);
        at = start;
      }
    }
  }

  /** Puts the pair into the first free slot on its way and returns the place. */
  #place(tag: number, reference: number): number {
    const table = this.#table;
    let start = this.#homeOf(tag);
    let at = start;
    while (table[at + 1] !== 0) {
      at = nextInGroup(at);
      if (at === start) {
        start = nextGroup(at, this.#mask);
        at = start;
      }
    }
    table[at] = tag;
    table[at + 1] = reference;
    return at;
  }

  /** Where the pair stands, or −1. */
  #positionOf(tag: number, reference: number): number {
    const table = this.#table;
    let start = this.#homeOf(tag);
    let at = start;
    while (table[at] !== tag || table[at + 1] !== reference) {
      if (table[at + 1] === 0) return -1;
      at = nextInGroup(at);
      if (at === start) {
        start = nextGroup(at, this.#mask);
        at = start;
      }
    }
    return at;
  }

  /** Counts an entry that was put in. */
  #count(at: number, tag: number): void {
    this.#entryCount += 1;
    const probeLength = probeLengthOf(at, this.#homeOf(tag), this.#mask);
    if (probeLength > this.#probeLengthMax) this.#probeLengthMax = probeLength;
    if (this.isGrowing) return;
    if (this.#entryCount >= this.#aheadAt) this.#takeAhead();
    if (this.#entryCount >= this.#growAt || probeLength > PROBE_LENGTH_MAX) this.#grow();
  }

  get #slotCount(): number {
    return (this.#mask + 1) / 2;
  }

  #useMemory(slotCount: number): void {
    const byteCount = slotCount * SLOT_BYTES;
    if (byteCount <= this.#table.byteLength) return;
    assert(byteCount <= this.#memory.byteCountMax, 'a table of slots has a bound');
    this.#table = new Int32Array(this.#memory.grow(byteCount), 0, byteCount / 4);
  }

  #takeAhead(): void {
    this.#useMemory(this.#slotCount * 2);
    this.#aheadAt = ENTRIES_MAX;
  }

  #setBounds(): void {
    this.#aheadAt = Math.floor(this.#slotCount * AHEAD_FILL);
    this.#growAt = Math.floor(this.#slotCount * FILL_MAX);
  }

  #grow(): void {
    const slotCount = this.#slotCount;
    const isNear = slotCount * EXPECTED_PART >= this.#expectedSlots;
    const nextSlotCount = Math.max(slotCount * 2, isNear ? this.#expectedSlots : 0);
    this.#useMemory(nextSlotCount);
    this.#mask = nextSlotCount * 2 - 1;
    this.#splitTo = 0;
    this.#setBounds();
    // At once, since what went round the end of the table stands there.
    this.#split(1);
  }

  /** Splits the next groups. */
  #split(groupCount: number): void {
    const until = Math.min(this.#lowMask + 1, this.#splitTo + groupCount * GROUP_WORDS);
    this.#takeOut(this.#splitTo, until, -1);
    this.#splitTo = until;
    if (until > this.#lowMask) {
      this.#lowMask = this.#mask;
      this.#splitTo = this.#mask + 1;
    }
    this.#putBack();
  }

  /**
   * Empties groups, but for what is to be put back. What may have come past them stands, as long as
   * groups are full, in those that follow: these are emptied too.
   */
  #takeOut(from: number, until: number, exceptAt: number): void {
    const table = this.#table;
    let group = from;
    let left = (until - from) / GROUP_WORDS;
    let isFull = true;
    while (left > 0 || isFull) {
      isFull = true;
      const pairs = this.#pairsWithRoom();
      let words = this.#pairWords;
      for (let at = group; at < group + GROUP_WORDS; at += 2) {
        const reference = table[at + 1];
        if (reference === 0) isFull = false;
        else if (at !== exceptAt) {
          pairs[words] = table[at];
          pairs[words + 1] = reference;
          words += 2;
        }
        table[at + 1] = 0;
      }
      this.#pairWords = words;
      left -= 1;
      group = nextGroup(group, this.#mask);
    }
  }

  #putBack(): void {
    const pairs = this.#pairs;
    const words = this.#pairWords;
    for (let pair = 0; pair < words; pair += 2) this.#place(pairs[pair], pairs[pair + 1]);
    this.#pairWords = 0;
  }

  #pairsWithRoom(): Int32Array {
    const pairs = this.#pairs;
    if (this.#pairWords + GROUP_WORDS <= pairs.length) return pairs;
    this.#pairs = new Int32Array(pairs.length * 2);
    this.#pairs.set(pairs);
    return this.#pairs;
  }
}

function nextInGroup(at: number): number {
  return (at & ~IN_GROUP) | ((at + 2) & IN_GROUP);
}

/** The first slot of the next group. */
function nextGroup(at: number, mask: number): number {
  return ((at & ~IN_GROUP) + GROUP_WORDS) & mask;
}

/** Slots that a probe from its home to a place looks at. */
function probeLengthOf(at: number, home: number, mask: number): number {
  const groups = ((at & ~IN_GROUP) - (home & ~IN_GROUP)) & mask;
  const from = groups === 0 ? home : 0;
  return groups / 2 + (((at - from) & IN_GROUP) >>> 1) + 1;
}

const NO_TABLE: Int32Array = new Int32Array(0);
