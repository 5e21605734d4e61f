// The accounts of a shard: balances, status and id of each (operator, player, currency), 48 bytes a
// row beside the index. Ids of up to 20 bytes lie in the row, so that finding an account costs one
// cache miss less; longer ones stand apart. Accounts are never removed; a row's number is in the
// log. Owned by the shard's thread.
import { assert } from '../assert.ts';
import { ID_BYTES_MAX, OPERATORS_MAX } from '../limits.ts';
import type { FrameSource } from '../transaction-columns.ts';
import { FlatRows } from './flat-rows.ts';
import { HashSlots, SLOTS_BYTES_MAX } from './hash-slots.ts';
import { IdBytes } from './id-bytes.ts';
import {
  LINEAR_BYTES_MAX,
  type LinearMemory,
  PLAIN_MEMORY,
  type TableMemory,
} from './table-memory.ts';

/** An account's status (rule 32), as records and answers number it. */
export const AccountStatus = { active: 0, betLocked: 1, frozen: 2, closed: 3 } as const;

/** The three buckets of an account as the row stores them. */
export const Bucket = { cash: 0, bonus: 1, held: 2 } as const;

/** Words of a row. */
export const ACCOUNT_WORDS = 12;

/**
 * Where a row's parts begin, in words: doubles cash, bonus, held; operator (16 bits), currency
 * (8), the id's length less 1 (6), status (2); the id, padded with zeros, or, if it is longer, its
 * place.
 */
export const AccountWord = { cash: 0, bonus: 2, held: 4, traits: 6, id: 7 } as const;

const ROW_WORDS = ACCOUNT_WORDS;
const TRAITS_WORD = AccountWord.traits;
const STATUS_BITS = 2;
const STATUS_MASK = 3;
const LENGTH_BITS = 6;
const LENGTH_MASK = 63;
const ID_WORD = AccountWord.id;
const INLINE_BYTES_MAX = 20;

/** An account as it was before a decision; a Decision has these fields. */
export interface AccountBefore {
  statusBefore: number;
  cashBeforeMinor: number;
  bonusBeforeMinor: number;
  heldBeforeMinor: number;
}

/** All accounts of one shard. Rows are numbered from 0 in the order of opening. */
export class AccountTable {
  /** Of the rows. */
  readonly memory: LinearMemory;
  readonly #rows: FlatRows;
  readonly #ids = new IdBytes();
  readonly #slots: HashSlots;

  constructor(memory: TableMemory = PLAIN_MEMORY) {
    this.memory = memory.takeLinear(LINEAR_BYTES_MAX);
    this.#rows = new FlatRows(ROW_WORDS, this.memory);
    this.#slots = new HashSlots(memory.takeLinear(SLOTS_BYTES_MAX));
  }

  get rowCount(): number {
    return this.#rows.rowCount;
  }

  get byteCount(): number {
    return this.#rows.byteCount + this.#ids.byteCount + this.#slots.byteCount;
  }

  /** Whether one more id of any length can be stored. */
  get hasRoomForId(): boolean {
    return this.#ids.hasRoom;
  }

  get probeLengthMax(): number {
    return this.#slots.probeLengthMax;
  }

  /**
   * The row of an account, or −1. `hash` holds its hash's first word at `hashAt`; owner is
   * operator × 256 + currency.
   */
  find(
    hash: Int32Array,
    hashAt: number,
    owner: number,
    source: FrameSource,
    playerAt: number,
    playerBytes: number,
  ): number {
    const slots = this.#slots;
    let reference = slots.find(hash[hashAt]);
    while (reference !== 0) {
      const row = reference - 1;
      if (this.isAt(row, owner, source, playerAt, playerBytes)) return row;
      reference = slots.findNext();
    }
    return -1;
  }

  /** Whether a row is that of the account with this owner and player. */
  isAt(
    row: number,
    owner: number,
    source: FrameSource,
    playerAt: number,
    playerBytes: number,
  ): boolean {
    if (playerBytes > ID_BYTES_MAX) return false;
    const words = this.#rows.words;
    const at = this.#rows.at(row);
    if (words[at + TRAITS_WORD] >>> STATUS_BITS !== ownerAndLength(owner, playerBytes))
      return false;
    if (playerBytes > INLINE_BYTES_MAX) {
      return this.#ids.equals(words[at + ID_WORD] >>> 0, source, playerAt, playerBytes);
    }
    const { view } = source;
    const wholeWords = playerBytes >>> 2;
    for (let word = 0; word < wholeWords; word += 1) {
      if (words[at + ID_WORD + word] !== view.getInt32(playerAt + word * 4, true)) return false;
    }
    const restBytes = playerBytes & 3;
    if (restBytes === 0) return true;
    const restAt = playerAt + wholeWords * 4;
    return words[at + ID_WORD + wholeWords] === wordOf(source, restAt, restBytes);
  }

  /** Adds an account with empty buckets and status active; the caller saw that there is none. */
  add(
    hash: Int32Array,
    hashAt: number,
    owner: number,
    source: FrameSource,
    playerAt: number,
    playerBytes: number,
  ): number {
    assert(owner >= 256 && owner >>> 8 <= OPERATORS_MAX, 'an account has an operator');
    assert(playerBytes >= 1 && playerBytes <= ID_BYTES_MAX, 'an account has an id');
    const row = this.#rows.allocate();
    const words = this.#rows.words;
    const at = this.#rows.at(row);
    words[at + TRAITS_WORD] = ownerAndLength(owner, playerBytes) << STATUS_BITS;
    if (playerBytes > INLINE_BYTES_MAX) {
      words[at + ID_WORD] = this.#ids.append(source, playerAt, playerBytes);
    } else {
      for (let offset = 0; offset < playerBytes; offset += 4) {
        words[at + ID_WORD + (offset >>> 2)] = wordOf(
          source,
          playerAt + offset,
          playerBytes - offset,
        );
      }
    }
    this.#slots.insert(hash[hashAt], row + 1);
    return row;
  }

  /**
   * Loads what finding accounts `from` to `until` − 1, of two words each, will read, and notes the
   * rows that they probably have (−1: none seen).
   */
  load(hashes: Int32Array, from: number, until: number, probableRow: Int32Array): number {
    const loaded = this.#slots.load(hashes, from * 2, until * 2, 2);
    for (let row = from; row < until; row += 1) {
      probableRow[row] = this.#slots.guess(hashes[row * 2]) - 1;
    }
    return loaded ^ this.#rows.load(probableRow, from, until);
  }

  /** Loads the rows of numbers that a log names; those that are not there yet are passed over. */
  loadRows(rows: Int32Array, from: number, until: number): number {
    return this.#rows.load(rows, from, until);
  }

  /** Loads the slots of hashes that stand `stride` words apart. */
  loadSlotsOf(hashes: Int32Array, from: number, until: number, stride: number): number {
    return this.#slots.load(hashes, from, until, stride);
  }

  /** Loads the slots of hashes of two words each. */
  loadSlots(hashes: Int32Array, from: number, until: number): number {
    return this.#slots.load(hashes, from * 2, until * 2, 2);
  }

  cashMinor(row: number): number {
    return this.#rows.doubles[(this.#rows.at(row) >>> 1) + Bucket.cash];
  }

  bonusMinor(row: number): number {
    return this.#rows.doubles[(this.#rows.at(row) >>> 1) + Bucket.bonus];
  }

  heldMinor(row: number): number {
    return this.#rows.doubles[(this.#rows.at(row) >>> 1) + Bucket.held];
  }

  /** Reads status and buckets into the fields of the same meaning. */
  readInto(row: number, into: AccountBefore): void {
    const at = this.#rows.at(row);
    const floats = this.#rows.doubles;
    into.statusBefore = this.#rows.words[at + TRAITS_WORD] & STATUS_MASK;
    into.cashBeforeMinor = floats[(at >>> 1) + Bucket.cash];
    into.bonusBeforeMinor = floats[(at >>> 1) + Bucket.bonus];
    into.heldBeforeMinor = floats[(at >>> 1) + Bucket.held];
  }

  /** Sets all three buckets; the caller has judged them (law 4). */
  setBuckets(row: number, cashMinor: number, bonusMinor: number, heldMinor: number): void {
    const floats = this.#rows.doubles;
    const at = this.#rows.at(row) >>> 1;
    floats[at + Bucket.cash] = cashMinor;
    floats[at + Bucket.bonus] = bonusMinor;
    floats[at + Bucket.held] = heldMinor;
  }

  /** Operator × 256 + currency. */
  owner(row: number): number {
    return this.#rows.words[this.#rows.at(row) + TRAITS_WORD] >>> 8;
  }

  operator(row: number): number {
    return this.#rows.words[this.#rows.at(row) + TRAITS_WORD] >>> 16;
  }

  /** The number of the currency in its operator's list. */
  currency(row: number): number {
    return (this.#rows.words[this.#rows.at(row) + TRAITS_WORD] >>> 8) & 0xff;
  }

  /** One of AccountStatus. */
  status(row: number): number {
    return this.#rows.words[this.#rows.at(row) + TRAITS_WORD] & STATUS_MASK;
  }

  setStatus(row: number, status: number): void {
    const words = this.#rows.words;
    const at = this.#rows.at(row) + TRAITS_WORD;
    assert(status >= 0 && status <= STATUS_MASK, 'a status is one of the known');
    words[at] = (words[at] & ~STATUS_MASK) | status;
  }

  /** The memory that holds the player's id. */
  playerSource(row: number): FrameSource {
    return this.#isInline(row) ? this.#rows.source : this.#ids.source(this.#idPlace(row));
  }

  /** Where the player's id starts in playerSource. */
  playerAt(row: number): number {
    if (this.#isInline(row)) return (this.#rows.at(row) + ID_WORD) * 4;
    return this.#ids.textAt(this.#idPlace(row));
  }

  /** The length of the player's id. */
  playerBytes(row: number): number {
    const traits = this.#rows.words[this.#rows.at(row) + TRAITS_WORD];
    return ((traits >>> STATUS_BITS) & LENGTH_MASK) + 1;
  }

  #isInline(row: number): boolean {
    return this.playerBytes(row) <= INLINE_BYTES_MAX;
  }

  #idPlace(row: number): number {
    return this.#rows.words[this.#rows.at(row) + ID_WORD] >>> 0;
  }
}

/** What a row's traits hold above the status. */
function ownerAndLength(owner: number, playerBytes: number): number {
  return (owner << LENGTH_BITS) | (playerBytes - 1);
}

/** Up to four bytes as the row keeps them: in memory order on a little-endian machine. */
function wordOf(source: FrameSource, at: number, byteCount: number): number {
  if (byteCount >= 4) return source.view.getInt32(at, true);
  let word = 0;
  for (let offset = 0; offset < byteCount; offset += 1) {
    word |= source.bytes[at + offset] << (offset * 8);
  }
  return word;
}
