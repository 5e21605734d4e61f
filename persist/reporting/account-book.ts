// The newest balances of all accounts as the log says them, and which of them changed: what the
// rows of balance_changes and balance_images are made of. Belongs to the reporter's thread. After a
// failure it is taken back to what Postgres has; a crash leaves nothing, and it is loaded again.
// 36 bytes an account.
//
// An account's number is shard × 2^27 + its row. 64 accounts with following numbers share a page.
//
//   set ──▶ slots changed since the last snapshot ──▶ writeChanges (each snapshot)
//      └──▶ pages changed in this minute, hour, day ──▶ writeImages (the last snapshot of each)
//
// Of most pages nobody has bonus or held money, so a column of zeros alone is an empty array: that
// is a fifth of the time of an image, and half of its bytes.
import { assert } from '../../core/assert.ts';
import type { CopyWriter } from './copy-writer.ts';
import type { SnapshotPlace, Tier } from './snapshot.ts';

const SHARD_BITS = 27;
/** Accounts of a shard at most. */
export const SHARD_ROWS: number = 2 ** SHARD_BITS;
const ROW_MASK: number = SHARD_ROWS - 1;
const PAGE_BITS = 6;
const PLACE_MASK: number = (SHARD_ROWS >>> PAGE_BITS) - 1;
/** Accounts of a page. */
export const PAGE_SLOTS: number = 2 ** PAGE_BITS;
/** Shards of a data folder: at most eight, which keeps accounts' numbers below 2^30. */
export const SHARDS_MAX = 8;
const START_ROWS = 4_096;
const CHANGE_FIELDS = 8;
const IMAGE_FIELDS = 8;
/** Wire bytes of the longest row: four arrays of 64 bigints and one of smallints. */
const PAGE_BYTES_MAX: number = 5 * 24 + PAGE_SLOTS * (4 * 12 + 6);

/** Balances of some accounts of a page, in minor units, and the positions that changed them. */
export interface PageBalances {
  /** Places of the accounts in their page; the columns go in the same order. */
  readonly slots: Float64Array;
  readonly cash: Float64Array;
  readonly bonus: Float64Array;
  readonly held: Float64Array;
  readonly changed: Float64Array;
}

/** Columns of one shard's accounts, by row. */
interface ShardAccounts {
  rowCount: number;
  /** Operator × 256 + the currency's number; 0 where there is no account. */
  owner: Uint32Array;
  cash: Float64Array;
  bonus: Float64Array;
  held: Float64Array;
  changed: Float64Array;
  /** By page: two words of changed slots, and bits of tiers. */
  slots: Uint32Array;
  tiers: Uint8Array;
}

/** The number of an account in Postgres. */
export function accountId(shard: number, row: number): number {
  assert(shard < SHARDS_MAX && row < SHARD_ROWS, 'an account has a number below 2^30');
  return shard * SHARD_ROWS + row;
}

/** All accounts of all shards. */
export class AccountBook {
  readonly #shards: ShardAccounts[] = [];
  readonly #changedPages: number[] = [];

  /** Operator × 256 + currency's number of an account; 0 for an unknown one. */
  ownerOf(id: number): number {
    const accounts = this.#shards[id >>> SHARD_BITS];
    return accounts?.owner[id & ROW_MASK] ?? 0;
  }

  /** Notes a new account, with empty buckets. */
  add(id: number, owner: number): void {
    const accounts = this.#shardOf(id);
    const row = id & ROW_MASK;
    if (row >= accounts.owner.length) grow(accounts, row);
    accounts.owner[row] = owner;
    accounts.rowCount = Math.max(accounts.rowCount, row + 1);
  }

  cashMinor(id: number): number {
    return this.#shardOf(id).cash[id & ROW_MASK];
  }

  bonusMinor(id: number): number {
    return this.#shardOf(id).bonus[id & ROW_MASK];
  }

  heldMinor(id: number): number {
    return this.#shardOf(id).held[id & ROW_MASK];
  }

  /** Sets the balances after a record; notes the change if it is one. */
  set(
    id: number,
    cashMinor: number,
    bonusMinor: number,
    heldMinor: number,
    position: number,
  ): void {
    const accounts = this.#shardOf(id);
    const row = id & ROW_MASK;
    assert(row < accounts.rowCount, 'a record speaks of an account that was opened before');
    if (
      accounts.cash[row] === cashMinor &&
      accounts.bonus[row] === bonusMinor &&
      accounts.held[row] === heldMinor
    ) {
      return;
    }
    accounts.cash[row] = cashMinor;
    accounts.bonus[row] = bonusMinor;
    accounts.held[row] = heldMinor;
    accounts.changed[row] = position;
    this.#noteChange(accounts, id);
  }

  /** As `set`, but of what Postgres already has: nothing to write. */
  load(page: number, count: number, { slots, cash, bonus, held, changed }: PageBalances): void {
    const accounts = this.#shardOf(page * PAGE_SLOTS);
    const first = (page & PLACE_MASK) * PAGE_SLOTS;
    for (let place = 0; place < count; place += 1) {
      const row = first + slots[place];
      if (row >= accounts.rowCount) continue;
      accounts.cash[row] = cash[place];
      accounts.bonus[row] = bonus[place];
      accounts.held[row] = held[place];
      accounts.changed[row] = changed[place];
    }
  }

  /**
   * Forgets what came after a position: accounts behind the given counts of their shards, and all
   * balances of the pages in which one changed since. Returns those pages; they wait for `load`.
   */
  rewind(position: number, rowCountOf: (shard: number) => number): number[] {
    const pages: number[] = [];
    this.#changedPages.length = 0;
    for (const [shard, accounts] of this.#shards.entries()) {
      const rowCount = Math.min(accounts.rowCount, rowCountOf(shard));
      const pageCount = Math.ceil(accounts.rowCount / PAGE_SLOTS);
      accounts.owner.fill(0, rowCount, accounts.rowCount);
      accounts.slots.fill(0);
      accounts.tiers.fill(0);
      for (let place = 0; place < pageCount; place += 1) {
        if (lastChange(accounts, place) <= position) continue;
        clearPage(accounts, place);
        pages.push((shard * SHARD_ROWS) / PAGE_SLOTS + place);
      }
      accounts.rowCount = rowCount;
    }
    return pages;
  }

  /** Finds the pages that changed since the last images of each tier, whose positions these are. */
  markTiers(positions: readonly number[]): void {
    for (const accounts of this.#shards) {
      const pageCount = Math.ceil(accounts.rowCount / PAGE_SLOTS);
      for (let place = 0; place < pageCount; place += 1) {
        const changed = lastChange(accounts, place);
        let bits = 0;
        for (const [tier, position] of positions.entries()) {
          if (changed > position) bits |= 1 << tier;
        }
        accounts.tiers[place] = bits;
      }
    }
  }

  /** Whether any balance changed since the last snapshot. */
  get hasChanges(): boolean {
    return this.#changedPages.length > 0;
  }

  /** Writes the balances changed since the last call, by page; returns how many. */
  writeChanges(writer: CopyWriter, snapshot: SnapshotPlace): number {
    let count = 0;
    for (const page of this.#changedPages.sort((left, right) => left - right)) {
      const accounts = this.#shardOf(page * PAGE_SLOTS);
      const place = page & PLACE_MASK;
      const slots = slotsOf(accounts.slots[place * 2], accounts.slots[place * 2 + 1]);
      accounts.slots[place * 2] = 0;
      accounts.slots[place * 2 + 1] = 0;
      count += slots.length;
      writer.beginRow(CHANGE_FIELDS, PAGE_BYTES_MAX);
      writer.time(snapshot.timeMs);
      writer.int64(snapshot.snapshotId);
      writer.int32(page);
      writer.beginArray('smallint', slots.length);
      for (const slot of slots) writer.int16(slot);
      writeColumns(writer, accounts, place * PAGE_SLOTS, slots);
    }
    this.#changedPages.length = 0;
    return count;
  }

  /**
   * Writes the images of all pages that changed in the time of a tier, and starts it and the ones
   * below anew: they are kept longer than those would be.
   */
  writeImages(writer: CopyWriter, snapshot: SnapshotPlace, tier: Tier): void {
    assert(tier > 0, 'within a minute only changes are written');
    const bit = 1 << (tier - 1);
    const bitsUpTo = bit * 2 - 1;
    for (const [shard, accounts] of this.#shards.entries()) {
      if (accounts === undefined) continue;
      const pageCount = Math.ceil(accounts.rowCount / PAGE_SLOTS);
      for (let place = 0; place < pageCount; place += 1) {
        if ((accounts.tiers[place] & bit) === 0) continue;
        accounts.tiers[place] &= ~bitsUpTo;
        writer.beginRow(IMAGE_FIELDS, PAGE_BYTES_MAX);
        writer.int16(tier);
        writer.time(snapshot.timeMs);
        writer.int64(snapshot.snapshotId);
        writer.int32((shard * SHARD_ROWS) / PAGE_SLOTS + place);
        writeColumns(writer, accounts, place * PAGE_SLOTS, ALL_SLOTS);
      }
    }
  }

  #noteChange(accounts: ShardAccounts, id: number): void {
    const place = (id & ROW_MASK) >>> PAGE_BITS;
    const slot = id & (PAGE_SLOTS - 1);
    if (accounts.slots[place * 2] === 0 && accounts.slots[place * 2 + 1] === 0) {
      this.#changedPages.push(id >>> PAGE_BITS);
      accounts.tiers[place] = ALL_TIERS;
    }
    accounts.slots[place * 2 + (slot >>> 5)] |= 1 << (slot & 31);
  }

  #shardOf(id: number): ShardAccounts {
    const shard = id >>> SHARD_BITS;
    while (this.#shards.length <= shard) this.#shards.push(newShard(START_ROWS));
    return this.#shards[shard];
  }
}

const ALL_TIERS = 0b111;
const ALL_SLOTS: readonly number[] = Array.from({ length: PAGE_SLOTS }, (_, slot) => slot);
const NO_SLOTS: readonly number[] = [];

/** Cash, bonus, held and the position of these slots of a page whose accounts begin at `first`. */
function writeColumns(
  writer: CopyWriter,
  { cash, bonus, held, changed }: ShardAccounts,
  first: number,
  slots: readonly number[],
): void {
  writeColumn(writer, cash, first, slots);
  for (const column of [bonus, held]) {
    const isZero = slots.every((slot) => column[first + slot] === 0);
    writeColumn(writer, column, first, isZero ? NO_SLOTS : slots);
  }
  writeColumn(writer, changed, first, slots);
}

function writeColumn(
  writer: CopyWriter,
  column: Float64Array,
  first: number,
  slots: readonly number[],
): void {
  writer.beginArray('bigint', slots.length);
  for (const slot of slots) writer.int64(column[first + slot]);
}

function slotsOf(low: number, high: number): number[] {
  const slots: number[] = [];
  for (const [word, bits] of [low, high].entries()) {
    for (let rest = bits; rest !== 0; rest &= rest - 1) {
      slots.push(word * 32 + 31 - Math.clz32(rest & -rest));
    }
  }
  return slots;
}

/** The position that changed a page last; 0 for none. */
function lastChange({ changed }: ShardAccounts, place: number): number {
  let last = 0;
  for (let row = place * PAGE_SLOTS; row < (place + 1) * PAGE_SLOTS; row += 1) {
    last = Math.max(last, changed[row]);
  }
  return last;
}

function clearPage({ cash, bonus, held, changed }: ShardAccounts, place: number): void {
  for (const column of [cash, bonus, held, changed]) {
    column.fill(0, place * PAGE_SLOTS, (place + 1) * PAGE_SLOTS);
  }
}

function newShard(rowCount: number): ShardAccounts {
  return {
    rowCount: 0,
    owner: new Uint32Array(rowCount),
    cash: new Float64Array(rowCount),
    bonus: new Float64Array(rowCount),
    held: new Float64Array(rowCount),
    changed: new Float64Array(rowCount),
    slots: new Uint32Array((rowCount / PAGE_SLOTS) * 2),
    tiers: new Uint8Array(rowCount / PAGE_SLOTS),
  };
}

/** Makes room for a row: twice as much, whole pages. */
function grow(accounts: ShardAccounts, row: number): void {
  let rowCount = accounts.owner.length;
  while (rowCount <= row) rowCount *= 2;
  const grown = newShard(rowCount);
  grown.owner.set(accounts.owner);
  grown.cash.set(accounts.cash);
  grown.bonus.set(accounts.bonus);
  grown.held.set(accounts.held);
  grown.changed.set(accounts.changed);
  grown.slots.set(accounts.slots);
  grown.tiers.set(accounts.tiers);
  Object.assign(accounts, { ...grown, rowCount: accounts.rowCount });
}
