// What a replay's decoder keeps of each account while it runs: the hash state behind operator and
// player, from which all hashes of the account's records go on, and the currency that they absorb.
// 33 bytes an account, by account row. The states stand in rows of 32 bytes, so that each takes one
// cache line, and the currencies in bytes, which stay cached. Owned by the decoder's thread.
import { assert } from '../assert.ts';
import { HASH_STATE_WORDS } from '../kernel/kernel.ts';

const CHUNK_ROWS_BITS = 16;
const CHUNK_ROWS = 1 << CHUNK_ROWS_BITS;
const CHUNK_ROW_MASK = CHUNK_ROWS - 1;

/** Accounts in the order of opening, in chunks of memory that are added one by one. */
export class PlayerStates {
  readonly #states: Int32Array[] = [];
  readonly #currencies: Uint8Array[] = [];
  #rowCount = 0;

  get rowCount(): number {
    return this.#rowCount;
  }

  /** Adds an account by its currency's number; the state is to be written. */
  add(currency: number): number {
    const row = this.#rowCount;
    if (row >>> CHUNK_ROWS_BITS === this.#states.length) {
      this.#states.push(new Int32Array(CHUNK_ROWS * HASH_STATE_WORDS));
      this.#currencies.push(new Uint8Array(CHUNK_ROWS));
    }
    assert(row >>> CHUNK_ROWS_BITS < this.#states.length, 'chunks are added one by one');
    this.#currencies[row >>> CHUNK_ROWS_BITS][row & CHUNK_ROW_MASK] = currency;
    this.#rowCount += 1;
    return row;
  }

  /** A row's chunk of states; `at(row)` is the first of its words. */
  states(row: number): Int32Array {
    return this.#states[row >>> CHUNK_ROWS_BITS];
  }

  at(row: number): number {
    return (row & CHUNK_ROW_MASK) * HASH_STATE_WORDS;
  }

  currency(row: number): number {
    return this.#currencies[row >>> CHUNK_ROWS_BITS][row & CHUNK_ROW_MASK];
  }

  /**
   * Loads the states of rows `from` to `until` − 1 of a column of account rows (−1: none). One by
   * one each would wait for memory; loads in a row overlap. The result means nothing.
   */
  touch(accountRow: Int32Array, from: number, until: number): number {
    let loaded = 0;
    for (let row = from; row < until; row += 1) {
      const account = accountRow[row];
      if (account < 0) continue;
      loaded ^= this.states(account)[this.at(account)];
    }
    return loaded;
  }
}
