// Rows of rounds, open and closed. An open round is state of the shard and stands in its operator's
// list in the order of opening, so that ageing looks at the oldest only; a closed one is an entry
// of the transaction index, known as long as keys (rule 29). Owned by the shard's thread.

import { FlatRows } from './flat-rows.ts';
import { readSequence, readTimeMs, writeStamp } from './stamp.ts';
import {
  LINEAR_BYTES_MAX,
  type LinearMemory,
  PLAIN_MEMORY,
  type TableMemory,
} from './table-memory.ts';

/** Whether and how a round was closed. Ageing refuses bets only (rule 17). */
export const RoundState = { open: 0, closedByEnd: 1, closedByAge: 2 } as const;

/** Words of a row. */
export const ROUND_WORDS = 16;

/** Words of a row that count what lives: bets not rolled back, wins above 0 not rolled back. */
export const RoundCount = { liveBets: 12, liveWins: 13 } as const;

/** Links of the operator's list of open rounds. */
export const RoundLink = { previous: 14, next: 15 } as const;

/**
 * Where a row's parts begin, in words: the key but for its first word, which is the slot's tag;
 * account row; sequence and time of opening; state | bets << 2; doubles cash stake and bonus stake.
 * Behind these come the counts and links above, links as row + 1.
 */
export const RoundWord = {
  key: 0,
  account: 3,
  stamp: 4,
  state: 7,
  cashStakeMinor: 8,
  bonusStakeMinor: 10,
} as const;

/** The most rounds, open and closed, that a shard has: some less than 4 GiB have room for. */
export const ROUNDS_MAX = 67_000_000;

const ROW_WORDS = ROUND_WORDS;
const ACCOUNT_WORD = RoundWord.account;
const STAMP_WORD = RoundWord.stamp;
const STATE_WORD = RoundWord.state;
const STATE_MASK = 3;
const ONE_BET = 4;
const CASH_STAKE_DOUBLE = RoundWord.cashStakeMinor / 2;
const BONUS_STAKE_DOUBLE = RoundWord.bonusStakeMinor / 2;

/** The rounds of one shard. */
export class RoundRows {
  readonly rows: FlatRows;
  /** Of the rows. */
  readonly memory: LinearMemory;

  constructor(memory: TableMemory = PLAIN_MEMORY) {
    this.memory = memory.takeLinear(LINEAR_BYTES_MAX);
    this.rows = new FlatRows(ROW_WORDS, this.memory);
  }

  /**
   * A new open round without bets; the caller links it into its operator's list. All of the row is
   * written: a freed one has old content.
   */
  add(
    key: Int32Array,
    keyAt: number,
    accountRow: number,
    openedAtMs: number,
    openedSequence: number,
  ): number {
    const row = this.rows.allocate();
    const words = this.rows.words;
    const doubles = this.rows.doubles;
    const at = this.rows.at(row);
    words[at] = key[keyAt + 1];
    words[at + 1] = key[keyAt + 2];
    words[at + 2] = key[keyAt + 3];
    words[at + ACCOUNT_WORD] = accountRow;
    writeStamp(words, at + STAMP_WORD, openedSequence, openedAtMs);
    words[at + STATE_WORD] = RoundState.open;
    words[at + RoundCount.liveBets] = 0;
    words[at + RoundCount.liveWins] = 0;
    words[at + RoundLink.previous] = 0;
    words[at + RoundLink.next] = 0;
    doubles[(at >>> 1) + CASH_STAKE_DOUBLE] = 0;
    doubles[(at >>> 1) + BONUS_STAKE_DOUBLE] = 0;
    return row;
  }

  accountRow(row: number): number {
    return this.rows.words[this.rows.at(row) + ACCOUNT_WORD];
  }

  /** One of RoundState. */
  state(row: number): number {
    return this.rows.words[this.rows.at(row) + STATE_WORD] & STATE_MASK;
  }

  setState(row: number, state: number): void {
    const words = this.rows.words;
    const at = this.rows.at(row) + STATE_WORD;
    words[at] = (words[at] & ~STATE_MASK) | state;
  }

  /** Whether any accepted bet named the round, live or not. */
  hasBets(row: number): boolean {
    return this.rows.words[this.rows.at(row) + STATE_WORD] >>> 2 > 0;
  }

  /** Counts an accepted bet that never lived (rule 24, `noop`). */
  addDeadBet(row: number): void {
    this.rows.words[this.rows.at(row) + STATE_WORD] += ONE_BET;
  }

  /** Cash staked by the round's live bets. */
  cashStakeMinor(row: number): number {
    return this.#double(row, CASH_STAKE_DOUBLE);
  }

  /** Bonus staked by the round's live bets. */
  bonusStakeMinor(row: number): number {
    return this.#double(row, BONUS_STAKE_DOUBLE);
  }

  /** Counts a live bet and adds its stake; the caller has judged the sums (law 4). */
  addBet(row: number, cashMinor: number, bonusMinor: number): void {
    const words = this.rows.words;
    const at = this.rows.at(row);
    words[at + STATE_WORD] += ONE_BET;
    words[at + RoundCount.liveBets] += 1;
    const floats = this.rows.doubles;
    floats[(at >>> 1) + CASH_STAKE_DOUBLE] += cashMinor;
    floats[(at >>> 1) + BONUS_STAKE_DOUBLE] += bonusMinor;
  }

  /** Changes the live stake; the caller has judged the sums (law 4). */
  addStake(row: number, cashMinor: number, bonusMinor: number): void {
    const floats = this.rows.doubles;
    const first = this.rows.at(row) >>> 1;
    floats[first + CASH_STAKE_DOUBLE] += cashMinor;
    floats[first + BONUS_STAKE_DOUBLE] += bonusMinor;
  }

  openedAtMs(row: number): number {
    return readTimeMs(this.rows.words, this.rows.at(row) + STAMP_WORD);
  }

  openedSequence(row: number): number {
    return readSequence(this.rows.words, this.rows.at(row) + STAMP_WORD);
  }

  /** One of the counts named in RoundCount. */
  count(row: number, count: number): number {
    return this.rows.words[this.rows.at(row) + count];
  }

  addCount(row: number, count: number, change: number): void {
    this.rows.words[this.rows.at(row) + count] += change;
  }

  /** A neighbour in the operator's list (RoundLink), or −1. */
  link(row: number, link: number): number {
    return this.rows.words[this.rows.at(row) + link] - 1;
  }

  setLink(row: number, link: number, neighbour: number): void {
    this.rows.words[this.rows.at(row) + link] = neighbour + 1;
  }

  #double(row: number, double: number): number {
    return this.rows.doubles[(this.rows.at(row) >>> 1) + double];
  }
}
