// Rows of the transaction index that hold outcomes: enough to answer a repeat, to judge what refers
// to it and to take it back without reading the log. What nearly all of them have stands in a row
// of 80 bytes; the rest, if there is any, in a second one. A row refers to nothing else, so that it
// can move to a sealed index on disk. Owned by the shard's thread.
import { Kind } from '../kinds.ts';
import type { KeyColumns } from '../records/key-columns.ts';
import { ResultCode } from '../result-codes.ts';
import { FlatRows, TABLE_BYTES_MAX } from './flat-rows.ts';
import { readSequence, readTimeMs, writeStamp } from './stamp.ts';
import { PLAIN_MEMORY, type TableMemory } from './table-memory.ts';

/** Words of a row. */
export const OUTCOME_WORDS = 20;

/**
 * Where a row's parts begin, in words: the key but for its first word, which is the slot's tag;
 * kind | code << 8 | traits << 16; account row + 1; sequence and time; body hash; extra; the rest's
 * row + 1, 0 for none; doubles amount and cash after; the round's key.
 */
export const OutcomeWord = {
  key: 0,
  meta: 3,
  account: 4,
  stamp: 5,
  body: 8,
  extra: 10,
  rest: 11,
  amountMinor: 12,
  cashMinor: 14,
  round: 16,
} as const;

const ROW_WORDS = OUTCOME_WORDS;
const META_WORD = OutcomeWord.meta;
const ACCOUNT_WORD = OutcomeWord.account;
const STAMP_WORD = OutcomeWord.stamp;
const BODY_WORD = OutcomeWord.body;
const EXTRA_WORD = OutcomeWord.extra;
const REST_WORD = OutcomeWord.rest;
const AMOUNT_DOUBLE = OutcomeWord.amountMinor / 2;
const CASH_DOUBLE = OutcomeWord.cashMinor / 2;
const ROUND_WORD = OutcomeWord.round;

// The rest, where the outcome moved another amount of cash than its kind and amount say, moved
// bonus, or left bonus or held: doubles 0 cash moved, 1 bonus moved, 2 bonus, 3 held.
const REST_WORDS = 8;

/** What else is known of an outcome; bits of `traits`. */
export const OutcomeTrait = {
  /** A late bet that met a tombstone of the policy `noop`. */
  noop: 1,
  /** The sender named a round. */
  roundNamed: 2,
  /** An `open` that made its account. */
  made: 4,
  /**
   * A win in the round of the bet that it refers to, which it did not name itself: the row's round
   * key is the one joined, and if it named another one (its bet none), `extra` holds the first word
   * of that one, for rule 26.
   */
  joined: 8,
} as const;

/** What a new outcome row is filled from; a Decision has this shape. */
export interface OutcomeFacts {
  readonly kind: number;
  readonly code: number;
  readonly traits: number;
  readonly accountRow: number;
  readonly sequence: number;
  readonly timeMs: number;
  readonly extra: number;
  readonly amountMinor: number;
  readonly cashMovedMinor: number;
  readonly bonusMovedMinor: number;
  readonly cashMinor: number;
  readonly bonusMinor: number;
  readonly heldMinor: number;
  /** The hashes, and its row in them. */
  readonly keys: KeyColumns;
  readonly row: number;
  /** Where keys.round has the key of its round; zeros where the kind has no round. */
  readonly roundAt: number;
}

/** The outcome rows of one shard. */
export class OutcomeRows {
  readonly rows: FlatRows;
  readonly #rests: FlatRows;

  constructor(memory: TableMemory = PLAIN_MEMORY) {
    this.rows = new FlatRows(ROW_WORDS, memory.take(TABLE_BYTES_MAX));
    this.#rests = new FlatRows(REST_WORDS, memory.take(TABLE_BYTES_MAX));
  }

  get byteCount(): number {
    return this.rows.byteCount + this.#rests.byteCount;
  }

  /** Stores an outcome and returns its row. */
  add(facts: OutcomeFacts): number {
    const row = this.rows.allocate();
    const words = this.rows.words;
    const at = this.rows.at(row);
    const { key, body, round } = facts.keys;
    const keyAt = facts.row * 4;
    words[at] = key[keyAt + 1];
    words[at + 1] = key[keyAt + 2];
    words[at + 2] = key[keyAt + 3];
    words[at + META_WORD] = facts.kind | (facts.code << 8) | (facts.traits << 16);
    words[at + ACCOUNT_WORD] = facts.accountRow + 1;
    writeStamp(words, at + STAMP_WORD, facts.sequence, facts.timeMs);
    words[at + BODY_WORD] = body[facts.row * 2];
    words[at + BODY_WORD + 1] = body[facts.row * 2 + 1];
    words[at + EXTRA_WORD] = facts.extra;
    words[at + REST_WORD] = hasRest(facts) ? this.#addRest(facts) + 1 : 0;
    const { roundAt } = facts;
    words[at + ROUND_WORD] = round[roundAt];
    words[at + ROUND_WORD + 1] = round[roundAt + 1];
    words[at + ROUND_WORD + 2] = round[roundAt + 2];
    words[at + ROUND_WORD + 3] = round[roundAt + 3];
    const floats = this.rows.doubles;
    floats[(at >>> 1) + AMOUNT_DOUBLE] = facts.amountMinor;
    floats[(at >>> 1) + CASH_DOUBLE] = facts.cashMinor;
    return row;
  }

  /** Stores whole rows without a rest that were made elsewhere; returns the first. */
  append(rows: Int32Array, from: number, count: number): number {
    return this.rows.append(rows, from, count);
  }

  /** Gives an outcome's rows back. */
  remove(row: number): void {
    const rest = this.#word(row, REST_WORD);
    if (rest > 0) this.#rests.free(rest - 1);
    this.rows.free(row);
  }

  code(row: number): number {
    return (this.#word(row, META_WORD) >>> 8) & 0xff;
  }

  /** Bits of OutcomeTrait. */
  traits(row: number): number {
    return this.#word(row, META_WORD) >>> 16;
  }

  /** The account's row, or −1 for an outcome that has none. */
  accountRow(row: number): number {
    return this.#word(row, ACCOUNT_WORD) - 1;
  }

  /** Whether the body's two words at a place equal the row's (rule 3). */
  bodyEquals(row: number, bodyHash: Int32Array, at: number): boolean {
    const first = this.#word(row, BODY_WORD);
    return first === bodyHash[at] && this.#word(row, BODY_WORD + 1) === bodyHash[at + 1];
  }

  sequence(row: number): number {
    return readSequence(this.rows.words, this.rows.at(row) + STAMP_WORD);
  }

  timeMs(row: number): number {
    return readTimeMs(this.rows.words, this.rows.at(row) + STAMP_WORD);
  }

  extra(row: number): number {
    return this.#word(row, EXTRA_WORD);
  }

  /** The amount asked for, with its sign; what was moved may differ (rejections, noop). */
  amountMinor(row: number): number {
    return this.#double(row, AMOUNT_DOUBLE);
  }

  cashMovedMinor(row: number): number {
    const rest = this.#word(row, REST_WORD);
    if (rest > 0) return this.#rest(rest, 0);
    const meta = this.#word(row, META_WORD);
    return usualCashMovedMinor(meta & 0xff, (meta >>> 8) & 0xff, this.amountMinor(row));
  }

  bonusMovedMinor(row: number): number {
    const rest = this.#word(row, REST_WORD);
    return rest === 0 ? 0 : this.#rest(rest, 1);
  }

  cashMinor(row: number): number {
    return this.#double(row, CASH_DOUBLE);
  }

  bonusMinor(row: number): number {
    const rest = this.#word(row, REST_WORD);
    return rest === 0 ? 0 : this.#rest(rest, 2);
  }

  heldMinor(row: number): number {
    const rest = this.#word(row, REST_WORD);
    return rest === 0 ? 0 : this.#rest(rest, 3);
  }

  /** Copies the key of the outcome's round. */
  readRoundKey(row: number, round: Int32Array, roundAt: number): void {
    const words = this.rows.words;
    const at = this.rows.at(row) + ROUND_WORD;
    round[roundAt] = words[at];
    round[roundAt + 1] = words[at + 1];
    round[roundAt + 2] = words[at + 2];
    round[roundAt + 3] = words[at + 3];
  }

  roundEquals(row: number, round: Int32Array, roundAt: number): boolean {
    const words = this.rows.words;
    const at = this.rows.at(row) + ROUND_WORD;
    return (
      words[at] === round[roundAt] &&
      words[at + 1] === round[roundAt + 1] &&
      words[at + 2] === round[roundAt + 2] &&
      words[at + 3] === round[roundAt + 3]
    );
  }

  #word(row: number, word: number): number {
    return this.rows.words[this.rows.at(row) + word];
  }

  #double(row: number, double: number): number {
    return this.rows.doubles[(this.rows.at(row) >>> 1) + double];
  }

  #rest(rest: number, double: number): number {
    return this.#rests.doubles[(this.#rests.at(rest - 1) >>> 1) + double];
  }

  #addRest(facts: OutcomeFacts): number {
    const row = this.#rests.allocate();
    const floats = this.#rests.doubles;
    const first = this.#rests.at(row) >>> 1;
    floats[first] = facts.cashMovedMinor;
    floats[first + 1] = facts.bonusMovedMinor;
    floats[first + 2] = facts.bonusMinor;
    floats[first + 3] = facts.heldMinor;
    return row;
  }
}

function hasRest(facts: OutcomeFacts): boolean {
  if (facts.bonusMovedMinor !== 0 || facts.bonusMinor !== 0 || facts.heldMinor !== 0) return true;
  const { amountMinor, cashMovedMinor, code, kind } = facts;
  return cashMovedMinor !== usualCashMovedMinor(kind, code, amountMinor);
}

/** What the kinds that come most move in cash, where no bonus is in play. */
function usualCashMovedMinor(kind: number, code: number, amountMinor: number): number {
  if (code !== ResultCode.ok) return 0;
  if (kind === Kind.bet || kind === Kind.withdraw) return -amountMinor;
  return kind === Kind.win || kind === Kind.deposit ? amountMinor : 0;
}
