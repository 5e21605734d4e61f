// The transaction index: all that is known of a key, found with one probe (design section 5). Its
// typed entries are outcomes, openings (the short outcome of an `open` that made its account),
// marks (a reversal or a tombstone, under the key that they speak of) and rounds (under the round's
// key). This is the hot part and, for now, all of it: entries leave only when a part on disk has
// taken them over, which is why no entry refers to another by row. Owned by the shard's thread.
import { assert } from '../assert.ts';
import { ATOMIC_TRANSACTIONS_MAX } from '../limits.ts';
import { FlatRows, TABLE_BYTES_MAX } from './flat-rows.ts';
import { HashSlots, SLOTS_BYTES_MAX } from './hash-slots.ts';
import { OutcomeRows } from './outcome-rows.ts';
import { RoundRows } from './round-rows.ts';
import { readSequence, readTimeMs, writeStamp } from './stamp.ts';
import { type LinearMemory, PLAIN_MEMORY, type TableMemory } from './table-memory.ts';

/** A reference in the slots is row + 1, and in these lowest bits its type. */
export const TYPE_BITS = 2;
/** The types of references. */
export const ReferenceType = { outcome: 0, opening: 1, mark: 2, round: 3, mask: 3 } as const;

const TYPE_MASK = ReferenceType.mask;
const TYPE_OUTCOME = ReferenceType.outcome;
const TYPE_OPENING = ReferenceType.opening;
const TYPE_MARK = ReferenceType.mark;
const TYPE_ROUND = ReferenceType.round;

/** Why a key is marked: its transaction was taken back, or was before it came (rule 24). */
export const MarkType = { reversal: 1, tombstoneRefuse: 2, tombstoneNoop: 3 } as const;

// Openings and marks have rows of 28 bytes: the key's first word stands in the slot as its tag, and
// 40 million openings without it save 160 MB. An opening: words 0–2 key, 3 account row, 4–6 stamp.
// A mark: words 0–2 key, 3 MarkType, 4–6 stamp of the rollback.
const SHORT_ROW_WORDS = 7;
const SHORT_VALUE_WORD = 3;
const SHORT_STAMP_WORD = 4;

/** The index of one shard. probe() answers in the fields; they hold until the next probe. */
export class TransactionIndex {
  readonly outcomes: OutcomeRows;
  readonly rounds: RoundRows;
  readonly #openings: FlatRows;
  readonly #marks: FlatRows;
  /** Of the slots. */
  readonly slotsMemory: LinearMemory;
  readonly #slots: HashSlots;
  readonly #guessedRows: Int32Array = new Int32Array(ATOMIC_TRANSACTIONS_MAX);
  /** Rows that the last probe found, or −1. */
  outcomeRow = -1;
  openingRow = -1;
  markRow = -1;

  constructor(memory: TableMemory = PLAIN_MEMORY) {
    this.outcomes = new OutcomeRows(memory);
    this.rounds = new RoundRows(memory);
    this.slotsMemory = memory.takeLinear(SLOTS_BYTES_MAX);
    this.#slots = new HashSlots(this.slotsMemory);
    this.#openings = new FlatRows(SHORT_ROW_WORDS, memory.take(TABLE_BYTES_MAX));
    this.#marks = new FlatRows(SHORT_ROW_WORDS, memory.take(TABLE_BYTES_MAX));
  }

  /** See HashSlots. */
  makeRoom(count: number): number {
    return this.#slots.makeRoom(count);
  }

  /** See HashSlots. */
  noteEntered(count: number, groupsPassed: number): void {
    this.#slots.noteEntered(count, groupsPassed);
  }

  /** See HashSlots. */
  expect(entryCount: number): void {
    this.#slots.expect(entryCount);
  }

  get entryCount(): number {
    return this.#slots.entryCount;
  }

  get slotBytes(): number {
    return this.#slots.byteCount;
  }

  get shortRowBytes(): number {
    return this.#openings.byteCount + this.#marks.byteCount;
  }

  get probeLengthMax(): number {
    return this.#slots.probeLengthMax;
  }

  /** Loads the slots of keys `from` to `until` − 1; see load-ahead.ts. */
  loadSlots(keys: Int32Array, from: number, until: number): number {
    return this.#slots.load(keys, from * 4, until * 4, 4);
  }

  /** Loads the outcomes that probably stand under keys whose slots were loaded. */
  loadOutcomes(keys: Int32Array, from: number, until: number): number {
    this.#guess(keys, from, until, TYPE_OUTCOME);
    return this.outcomes.rows.load(this.#guessedRows, 0, until - from);
  }

  /** Loads the rounds that probably stand under keys whose slots were loaded. */
  loadRounds(keys: Int32Array, from: number, until: number): number {
    this.#guess(keys, from, until, TYPE_ROUND);
    return this.rounds.rows.load(this.#guessedRows, 0, until - from);
  }

  /** Finds the outcome or opening and the mark of a key. */
  probe(key: Int32Array, keyAt: number): void {
    this.outcomeRow = -1;
    this.openingRow = -1;
    this.markRow = -1;
    let reference = this.#slots.find(key[keyAt]);
    while (reference !== 0) {
      const type = reference & TYPE_MASK;
      const row = (reference >>> TYPE_BITS) - 1;
      if (type === TYPE_OUTCOME) {
        if (restEquals(this.outcomes.rows, row, key, keyAt)) this.outcomeRow = row;
      } else if (type !== TYPE_ROUND && restEquals(this.#rowsOf(type), row, key, keyAt)) {
        if (type === TYPE_OPENING) this.openingRow = row;
        else this.markRow = row;
      }
      reference = this.#slots.findNext();
    }
  }

  /** The row of a round, open or closed, or −1. */
  findRound(key: Int32Array, keyAt: number): number {
    let reference = this.#slots.find(key[keyAt]);
    while (reference !== 0) {
      if ((reference & TYPE_MASK) === TYPE_ROUND) {
        const row = (reference >>> TYPE_BITS) - 1;
        if (restEquals(this.rounds.rows, row, key, keyAt)) return row;
      }
      reference = this.#slots.findNext();
    }
    return -1;
  }

  /** Enters a row of `outcomes` under its key. */
  insertOutcome(key: Int32Array, keyAt: number, row: number): void {
    this.#insert(key, keyAt, TYPE_OUTCOME, row);
  }

  /** Enters a row of `rounds` under its key. */
  insertRound(key: Int32Array, keyAt: number, row: number): void {
    this.#insert(key, keyAt, TYPE_ROUND, row);
  }

  /** Enters the outcome of an `open` that made an account: its balances were 0. */
  insertOpening(
    key: Int32Array,
    keyAt: number,
    accountRow: number,
    sequence: number,
    timeMs: number,
  ): void {
    const row = addShort(this.#openings, key, keyAt, accountRow);
    writeStamp(this.#openings.words, this.#openings.at(row) + SHORT_STAMP_WORD, sequence, timeMs);
    this.#insert(key, keyAt, TYPE_OPENING, row);
  }

  /** Enters a mark (MarkType) under the key that it speaks of; returns its row. */
  insertMark(
    key: Int32Array,
    keyAt: number,
    markType: number,
    sequence: number,
    timeMs: number,
  ): number {
    const row = addShort(this.#marks, key, keyAt, markType);
    writeStamp(this.#marks.words, this.#marks.at(row) + SHORT_STAMP_WORD, sequence, timeMs);
    this.#insert(key, keyAt, TYPE_MARK, row);
    return row;
  }

  /** The account that an opening made. */
  openingAccountRow(row: number): number {
    return this.#openings.words[this.#openings.at(row) + SHORT_VALUE_WORD];
  }

  openingSequence(row: number): number {
    return readSequence(this.#openings.words, this.#openings.at(row) + SHORT_STAMP_WORD);
  }

  openingTimeMs(row: number): number {
    return readTimeMs(this.#openings.words, this.#openings.at(row) + SHORT_STAMP_WORD);
  }

  /** One of MarkType. */
  markType(row: number): number {
    return this.#marks.words[this.#marks.at(row) + SHORT_VALUE_WORD];
  }

  /** Takes back the insertion of an outcome (an atomic batch that is undone), by its key's tag. */
  removeOutcome(tag: number, row: number): void {
    this.#remove(tag, TYPE_OUTCOME, row);
    this.outcomes.remove(row);
  }

  /** Takes back the insertion of a mark. */
  removeMark(tag: number, row: number): void {
    this.#remove(tag, TYPE_MARK, row);
    this.#marks.free(row);
  }

  /** Takes back the insertion of a round. */
  removeRound(tag: number, row: number): void {
    this.#remove(tag, TYPE_ROUND, row);
    this.rounds.rows.free(row);
  }

  #insert(key: Int32Array, keyAt: number, type: number, row: number): void {
    this.#slots.insert(key[keyAt], ((row + 1) << TYPE_BITS) | type);
  }

  #remove(tag: number, type: number, row: number): void {
    this.#slots.remove(tag, ((row + 1) << TYPE_BITS) | type);
  }

  #guess(keys: Int32Array, from: number, until: number, type: number): void {
    assert(until - from <= this.#guessedRows.length, 'rows are loaded for one pass');
    for (let row = from; row < until; row += 1) {
      this.#guessedRows[row - from] = rowOfType(this.#slots.guess(keys[row * 4]), type);
    }
  }

  #rowsOf(type: number): FlatRows {
    if (type === TYPE_OUTCOME) return this.outcomes.rows;
    if (type === TYPE_ROUND) return this.rounds.rows;
    return type === TYPE_OPENING ? this.#openings : this.#marks;
  }
}

/** The row that a reference names, or −1 if it is of another type, or none. */
function rowOfType(reference: number, type: number): number {
  const isOfType = reference > 0 && (reference & TYPE_MASK) === type;
  return isOfType ? (reference >>> TYPE_BITS) - 1 : -1;
}

/** A row with the key but for its first word, and a value. */
function addShort(rows: FlatRows, key: Int32Array, keyAt: number, value: number): number {
  const row = rows.allocate();
  const words = rows.words;
  const at = rows.at(row);
  words[at] = key[keyAt + 1];
  words[at + 1] = key[keyAt + 2];
  words[at + 2] = key[keyAt + 3];
  words[at + SHORT_VALUE_WORD] = value;
  return row;
}

/** Rows are without the key's first word, which the slot's tag has matched. */
function restEquals(rows: FlatRows, row: number, key: Int32Array, keyAt: number): boolean {
  const words = rows.words;
  const at = rows.at(row);
  return (
    words[at] === key[keyAt + 1] &&
    words[at + 1] === key[keyAt + 2] &&
    words[at + 2] === key[keyAt + 3]
  );
}
