// What a replay's decoder keeps of each account while it runs: the hash state behind operator and
// player, from which all hashes of the account's records go on, and the currency that they absorb.
// 40 bytes an account, by account row; together, since each apart would be a cache miss. Owned by
// the decoder's thread.
import { HASH_STATE_WORDS } from '../kernel/kernel.ts';
import { FlatRows } from './flat-rows.ts';

const ROW_WORDS = 10;
const CURRENCY_WORD = HASH_STATE_WORDS;

/** Accounts in the order of opening. */
export class PlayerStates {
  readonly #rows = new FlatRows(ROW_WORDS);

  get rowCount(): number {
    return this.#rows.rowCount;
  }

  /** Adds an account by its currency's number; the state is to be written. */
  add(currency: number): number {
    const row = this.#rows.allocate();
    this.#rows.words[this.at(row) + CURRENCY_WORD] = currency;
    return row;
  }

  /** All states; `at(row)` is the first of a row's words. Valid until the next account is added. */
  get states(): Int32Array {
    return this.#rows.words;
  }

  at(row: number): number {
    return this.#rows.at(row);
  }

  currency(row: number): number {
    return this.#rows.words[this.at(row) + CURRENCY_WORD];
  }

  /**
   * Loads the states of rows `from` to `until` − 1 of a column of account rows (−1: none). One by
   * one each would wait for memory; loads in a row overlap. The result means nothing.
   */
  touch(accountRow: Int32Array, from: number, until: number): number {
    return this.#rows.load(accountRow, from, until);
  }
}
