// The accounts of a shard: balances, status and id of each (operator, player, currency), 32 bytes
// a row beside the id and the index. Accounts are never removed; a row's number is in the log.
// Owned by the shard's thread.
import { assert } from '../assert.ts';
import type { FrameSource } from '../transaction-columns.ts';
import { HashSlots } from './hash-slots.ts';
import { IdBytes } from './id-bytes.ts';
import { RowChunks } from './row-chunks.ts';

/** An account's status (rule 32), as records and answers number it. */
export const AccountStatus = { active: 0, betLocked: 1, frozen: 2, closed: 3 } as const;

/** The three buckets of an account as the row stores them. */
export const Bucket = { cash: 0, bonus: 1, held: 2 } as const;

// A row: doubles 0–2 cash, bonus, held; word 6 the id's place; word 7 operator (16 bits), currency
// (8), status (8).
const ROW_WORDS = 8;
const ID_WORD = 6;
const TRAITS_WORD = 7;
const SUB_TABLES = 1024;

/** All accounts of one shard. Rows are numbered from 0 in the order of opening. */
export class AccountTable {
  readonly #rows = new RowChunks(ROW_WORDS);
  readonly #ids = new IdBytes();
  readonly #slots = new HashSlots(SUB_TABLES);

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
   * The row of an account, or −1. `hash` holds the two words of its hash at `hashAt`; owner is
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
    let reference = slots.find(hash[hashAt], hash[hashAt + 1]);
    while (reference !== 0) {
      const row = reference - 1;
      const words = this.#rows.words(row);
      const at = this.#rows.at(row);
      if (
        words[at + TRAITS_WORD] >>> 8 === owner &&
        this.#ids.equals(words[at + ID_WORD] >>> 0, source, playerAt, playerBytes)
      ) {
        return row;
      }
      reference = slots.findNext();
    }
    return -1;
  }

  /** First step of loading ahead: what the home slot of an account's hash refers to, or 0. */
  peekSlot(hash: Int32Array, hashAt: number): number {
    return this.#slots.peek(hash[hashAt], hash[hashAt + 1]);
  }

  /** Second step: loads the row of a reference above 0 and returns its id's place. */
  peekRow(reference: number): number {
    return this.#rows.words(reference - 1)[this.#rows.at(reference - 1) + ID_WORD] >>> 0;
  }

  /** Third step: loads the id at a place. */
  peekId(place: number): number {
    return this.#ids.textBytes(place);
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
    assert(owner >= 256 && owner < 1 << 24, 'an account has an operator and a currency');
    const row = this.#rows.allocate();
    const words = this.#rows.words(row);
    const at = this.#rows.at(row);
    words[at + ID_WORD] = this.#ids.append(source, playerAt, playerBytes);
    words[at + TRAITS_WORD] = owner << 8;
    this.#slots.insert(hash[hashAt], hash[hashAt + 1], row + 1);
    return row;
  }

  cashMinor(row: number): number {
    return this.#rows.floats(row)[(this.#rows.at(row) >>> 1) + Bucket.cash];
  }

  bonusMinor(row: number): number {
    return this.#rows.floats(row)[(this.#rows.at(row) >>> 1) + Bucket.bonus];
  }

  heldMinor(row: number): number {
    return this.#rows.floats(row)[(this.#rows.at(row) >>> 1) + Bucket.held];
  }

  /** Sets all three buckets; the caller has judged them (law 4). */
  setBuckets(row: number, cashMinor: number, bonusMinor: number, heldMinor: number): void {
    const floats = this.#rows.floats(row);
    const at = this.#rows.at(row) >>> 1;
    floats[at + Bucket.cash] = cashMinor;
    floats[at + Bucket.bonus] = bonusMinor;
    floats[at + Bucket.held] = heldMinor;
  }

  operator(row: number): number {
    return this.#rows.words(row)[this.#rows.at(row) + TRAITS_WORD] >>> 16;
  }

  /** The number of the currency in its operator's list. */
  currency(row: number): number {
    return (this.#rows.words(row)[this.#rows.at(row) + TRAITS_WORD] >>> 8) & 0xff;
  }

  /** One of AccountStatus. */
  status(row: number): number {
    return this.#rows.words(row)[this.#rows.at(row) + TRAITS_WORD] & 0xff;
  }

  setStatus(row: number, status: number): void {
    const words = this.#rows.words(row);
    const at = this.#rows.at(row) + TRAITS_WORD;
    words[at] = (words[at] & ~0xff) | status;
  }

  /** The memory that holds the player's id. */
  playerSource(row: number): FrameSource {
    return this.#ids.source(this.#idPlace(row));
  }

  /** Where the player's id starts in playerSource. */
  playerAt(row: number): number {
    return this.#ids.textAt(this.#idPlace(row));
  }

  /** The length of the player's id. */
  playerBytes(row: number): number {
    return this.#ids.textBytes(this.#idPlace(row));
  }

  #idPlace(row: number): number {
    return this.#rows.words(row)[this.#rows.at(row) + ID_WORD] >>> 0;
  }
}
