// What a replay's decoder keeps of each account while it runs: the hash state behind operator and
// player, from which all hashes of the account's records go on, and the currency that they absorb.
// 40 bytes an account, by account row; together, since each apart would be a cache miss. Owned by
// the decoder's thread.
import { FlatRows } from './flat-rows.ts';
import { LINEAR_BYTES_MAX, type LinearMemory, PLAIN_MEMORY } from './table-memory.ts';

/** Words of a row. */
export const PLAYER_STATE_WORDS = 10;

/** Where a row's parts begin, in words. */
export const PlayerStateWord = { state: 0, currency: 8 } as const;

/** Accounts in the order of opening. */
export class PlayerStates {
  /** Of the rows. */
  readonly memory: LinearMemory = PLAIN_MEMORY.takeLinear(LINEAR_BYTES_MAX);
  readonly #rows = new FlatRows(PLAYER_STATE_WORDS, this.memory);

  get rowCount(): number {
    return this.#rows.rowCount;
  }

  /** Adds an account by its currency's number; the state is to be written. */
  add(currency: number): number {
    const row = this.#rows.allocate();
    this.#rows.words[this.at(row) + PlayerStateWord.currency] = currency;
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
    return this.#rows.words[this.at(row) + PlayerStateWord.currency];
  }
}
