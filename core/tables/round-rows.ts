// Rows of rounds, open and closed. An open round is state of the shard and stands in its operator's
// list in the order of opening, so that ageing looks at the oldest only; a closed one is an entry
// of the transaction index, known as long as keys (rule 29). Owned by the shard's thread.
import { RowChunks } from './row-chunks.ts';
import { PLAIN_MEMORY, type TableMemory } from './table-memory.ts';

/** Whether and how a round was closed. Ageing refuses bets only (rule 17). */
export const RoundState = { open: 0, closedByEnd: 1, closedByAge: 2 } as const;

// A row of 80 bytes: words 0–3 key; 4 account row; 5 state; doubles 3 cash stake, 4 bonus stake,
// 5 opened at (ms), 6 opening record's sequence; words 14 bets, 15 live bets, 16 live wins above 0,
// 17 previous and 18 next open round of the operator, as row + 1.
const ROW_WORDS = 20;
const ACCOUNT_WORD = 4;
const STATE_WORD = 5;
const CASH_STAKE_DOUBLE = 3;
const BONUS_STAKE_DOUBLE = 4;
const OPENED_AT_DOUBLE = 5;
const OPENED_SEQUENCE_DOUBLE = 6;

/** Words of a row that count: of which each has a meaning of its own in the rules. */
export const RoundCount = { bets: 14, liveBets: 15, liveWins: 16 } as const;

/** Links of the operator's list of open rounds. */
export const RoundLink = { previous: 17, next: 18 } as const;

/** The rounds of one shard. */
export class RoundRows {
  readonly rows: RowChunks;

  constructor(memory: TableMemory = PLAIN_MEMORY) {
    this.rows = new RowChunks(ROW_WORDS, memory);
  }

  /** A new open round without bets; the caller links it into its operator's list. */
  add(
    key: Int32Array,
    keyAt: number,
    accountRow: number,
    openedAtMs: number,
    openedSequence: number,
  ): number {
    const row = this.rows.allocate();
    const words = this.rows.words(row);
    const at = this.rows.at(row);
    words[at] = key[keyAt];
    words[at + 1] = key[keyAt + 1];
    words[at + 2] = key[keyAt + 2];
    words[at + 3] = key[keyAt + 3];
    words[at + ACCOUNT_WORD] = accountRow;
    // A freed row has old content: every word is written.
    words[at + STATE_WORD] = RoundState.open;
    words[at + RoundCount.bets] = 0;
    words[at + RoundCount.liveBets] = 0;
    words[at + RoundCount.liveWins] = 0;
    words[at + RoundLink.previous] = 0;
    words[at + RoundLink.next] = 0;
    const floats = this.rows.floats(row);
    const first = at >>> 1;
    floats[first + CASH_STAKE_DOUBLE] = 0;
    floats[first + BONUS_STAKE_DOUBLE] = 0;
    floats[first + OPENED_AT_DOUBLE] = openedAtMs;
    floats[first + OPENED_SEQUENCE_DOUBLE] = openedSequence;
    return row;
  }

  accountRow(row: number): number {
    return this.rows.words(row)[this.rows.at(row) + ACCOUNT_WORD];
  }

  /** One of RoundState. */
  state(row: number): number {
    return this.rows.words(row)[this.rows.at(row) + STATE_WORD];
  }

  setState(row: number, state: number): void {
    this.rows.words(row)[this.rows.at(row) + STATE_WORD] = state;
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
    const words = this.rows.words(row);
    const at = this.rows.at(row);
    words[at + RoundCount.bets] += 1;
    words[at + RoundCount.liveBets] += 1;
    const floats = this.rows.floats(row);
    floats[(at >>> 1) + CASH_STAKE_DOUBLE] += cashMinor;
    floats[(at >>> 1) + BONUS_STAKE_DOUBLE] += bonusMinor;
  }

  /** Changes the live stake; the caller has judged the sums (law 4). */
  addStake(row: number, cashMinor: number, bonusMinor: number): void {
    const floats = this.rows.floats(row);
    const first = this.rows.at(row) >>> 1;
    floats[first + CASH_STAKE_DOUBLE] += cashMinor;
    floats[first + BONUS_STAKE_DOUBLE] += bonusMinor;
  }

  openedAtMs(row: number): number {
    return this.#double(row, OPENED_AT_DOUBLE);
  }

  openedSequence(row: number): number {
    return this.#double(row, OPENED_SEQUENCE_DOUBLE);
  }

  /** One of the counts named in RoundCount. */
  count(row: number, count: number): number {
    return this.rows.words(row)[this.rows.at(row) + count];
  }

  addCount(row: number, count: number, change: number): void {
    this.rows.words(row)[this.rows.at(row) + count] += change;
  }

  /** A neighbour in the operator's list (RoundLink), or −1. */
  link(row: number, link: number): number {
    return this.rows.words(row)[this.rows.at(row) + link] - 1;
  }

  setLink(row: number, link: number, neighbour: number): void {
    this.rows.words(row)[this.rows.at(row) + link] = neighbour + 1;
  }

  #double(row: number, double: number): number {
    return this.rows.floats(row)[(this.rows.at(row) >>> 1) + double];
  }
}
