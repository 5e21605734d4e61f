// Reads the records of a block into columns, for replay and for whoever shows the log. The mirror
// of record-writer.ts; the layout is record-layout.ts. The block's checksum has been verified
// before, so what doesn't fit here is a broken invariant and not bad luck.
//
// Reading is half of what a replay's reader thread does, so it is written for speed: a place in the
// bytes only ever grows, so the one comparison at a record's end catches every step beyond it. What
// was read of such a record is void. A byte beyond the content is undefined, which is below no
// number: the paths for longer numbers check each place.
import { assert } from '../assert.ts';
import { Kind } from '../kinds.ts';
import { DEFINITION_BYTES_MAX, RECORD_BYTES_MAX } from '../limits.ts';
import { ResultCode } from '../result-codes.ts';
import { OutcomeTrait } from '../tables/outcome-rows.ts';
import type { FrameSource, TextColumn, TransactionColumns } from '../transaction-columns.ts';
import type { RecordColumns } from './record-columns.ts';
import { Content } from './record-layout.ts';
import { fieldsOfContents } from './record-writer.ts';
import { VarintReader } from './varint.ts';

const FIRST_KIND_WITHOUT_TEXTS = 32;

/** Contents that put no part between the provider and the transaction id. */
const RARE_CONTENTS = Content.metadata | ~(Content.sentAt - 1);

/** The columns of texts keep lengths in 16 bits. */
const RECORD_BYTES_READ_MAX = DEFINITION_BYTES_MAX + RECORD_BYTES_MAX;

/** What rows keep of a time. */
const TIME_MS_MAX = 2 ** 48 - 1;

/** Rows are numbered in 31 bits. */
const ROW_MAX = 0x7fffffff;

/** Reads one block's records in order. Reused: begin() starts a block. */
export class RecordReader {
  readonly #numbers = new VarintReader(new Uint8Array(0));
  #lastTimeMs = 0;

  /** Starts at the first record of a block's content. */
  begin(content: Uint8Array): void {
    this.#numbers.bytes = content;
    this.#numbers.at = 0;
    this.#numbers.end = content.byteLength;
    this.#lastTimeMs = 0;
  }

  /** Whether all bytes of the block were read. */
  get isAtEnd(): boolean {
    return this.#numbers.at === this.#numbers.end;
  }

  /** Where the next record starts in the block. */
  get at(): number {
    return this.#numbers.at;
  }

  /** Time of the last record; 0 before the first. */
  get lastTimeMs(): number {
    return this.#lastTimeMs;
  }

  /** Goes on behind records that another reader read: at a place, with the last one's time. */
  goOn(at: number, lastTimeMs: number): void {
    this.#numbers.at = at;
    this.#lastTimeMs = lastTimeMs;
  }

  /** Reads the next record into a row of both columns; texts lie in source 0 (the block). */
  read(columns: TransactionColumns, records: RecordColumns, row: number): void {
    const numbers = this.#numbers;
    const { bytes } = numbers;
    const byteCount = numbers.unsigned();
    let at = numbers.at;
    const end = at + byteCount;
    assert(end <= numbers.end, 'a record ends within its block');
    assert(byteCount <= RECORD_BYTES_READ_MAX, 'a record keeps to its largest size');
    const kind = bytes[at];
    columns.kind[row] = kind;
    records.code[row] = bytes[at + 1];
    at += 2;
    let contents = bytes[at];
    at += 1;
    if (contents >= 0x80) {
      contents = numbers.finish(contents, at);
      at = numbers.at;
    }
    columns.sourceIndex[row] = 0;
    columns.fields[row] = fieldsOf(contents);
    records.traits[row] = traitsOf(contents);
    const hasJoined = (contents & Content.joined) !== 0;
    const isWin = kind === Kind.win && records.code[row] === ResultCode.ok;
    assert(!hasJoined || isWin, 'only an accepted win joins a round');
    let place = bytes[at];
    at += 1;
    if (place >= 0x80) {
      place = numbers.finish(place, at);
      at = numbers.at;
    }
    assert(place <= ROW_MAX, 'an account has a row');
    const isKnown = place > 0 && (contents & Content.made) === 0;
    const namesPlayer = (contents & Content.player) !== 0;
    const hasTexts = kind < FIRST_KIND_WITHOUT_TEXTS;
    assert(isKnown || namesPlayer || !hasTexts, 'a record names a player that has no row yet');
    records.accountRow[row] = place - 1;
    let elapsedMs = bytes[at];
    at += 1;
    if (elapsedMs >= 0x80) {
      elapsedMs = numbers.finish(elapsedMs, at);
      at = numbers.at;
    }
    this.#lastTimeMs += elapsedMs;
    assert(this.#lastTimeMs <= TIME_MS_MAX, 'a time has 48 bits');
    records.timeMs[row] = this.#lastTimeMs;
    numbers.at = this.#readMoney(columns, records, row, contents, at);
    if (hasTexts) this.#readTexts(columns, records, row, contents);
    else records.subjectSequence[row] = numbers.unsigned();
    assert(numbers.at === end, 'a record ends where its length says');
  }

  /** Reads amounts, balances and the provider from `from` on; returns the place behind them. */
  #readMoney(
    columns: TransactionColumns,
    records: RecordColumns,
    row: number,
    contents: number,
    from: number,
  ): number {
    const numbers = this.#numbers;
    const { bytes } = numbers;
    let at = from;
    let amountMinor = 0;
    if ((contents & Content.amount) !== 0) {
      amountMinor = bytes[at];
      at += 1;
      if (amountMinor >= 0x80) {
        amountMinor = numbers.finish(amountMinor, at);
        at = numbers.at;
      }
    }
    const isNegative = (contents & Content.amountNegative) !== 0;
    columns.amountMinor[row] = isNegative ? -amountMinor : amountMinor;
    numbers.at = at;
    const hasCashMoved = (contents & Content.cashMoved) !== 0;
    records.cashMovedMinor[row] = hasCashMoved ? numbers.signed() : 0;
    records.cashMinor[row] = records.accountRow[row] < 0 ? 0 : numbers.signed();
    const hasBonus = (contents & Content.bonus) !== 0;
    records.bonusMovedMinor[row] = hasBonus ? numbers.signed() : 0;
    records.bonusMinor[row] = hasBonus ? numbers.signed() : 0;
    records.heldMinor[row] = (contents & Content.held) === 0 ? 0 : numbers.unsigned();
    columns.provider[row] = (contents & Content.provider) === 0 ? 0 : numbers.unsigned();
    return numbers.at;
  }

  #readTexts(
    columns: TransactionColumns,
    records: RecordColumns,
    row: number,
    contents: number,
  ): void {
    const numbers = this.#numbers;
    const { bytes } = numbers;
    const isRare = (contents & RARE_CONTENTS) !== 0;
    records.extra[row] = 0;
    columns.expiresInMs[row] = 0;
    if (isRare) this.#readRareNumbers(columns, records, row, contents);
    let at = placeText(columns.transactionId, row, bytes, numbers.at);
    if ((contents & Content.round) === 0) columns.round.byteCount[row] = 0;
    else at = placeText(columns.round, row, bytes, at);
    if ((contents & Content.reference) === 0) columns.reference.byteCount[row] = 0;
    else at = placeText(columns.reference, row, bytes, at);
    if ((contents & Content.game) === 0) columns.game.byteCount[row] = 0;
    else at = placeText(columns.game, row, bytes, at);
    numbers.at = at;
    if (isRare) this.#readRareTexts(columns, records, row, contents);
  }

  #readRareNumbers(
    columns: TransactionColumns,
    records: RecordColumns,
    row: number,
    contents: number,
  ): void {
    const numbers = this.#numbers;
    columns.sentAtMs[row] = (contents & Content.sentAt) === 0 ? 0 : numbers.unsigned();
    columns.expiresInMs[row] = (contents & Content.expiresIn) === 0 ? 0 : numbers.unsigned();
    columns.status[row] = (contents & Content.status) === 0 ? 0 : numbers.unsigned();
    records.extra[row] = (contents & Content.extra) === 0 ? 0 : numbers.unsigned();
  }

  #readRareTexts(
    columns: TransactionColumns,
    records: RecordColumns,
    row: number,
    contents: number,
  ): void {
    const numbers = this.#numbers;
    this.#readLongTextIf(columns.metadata, row, contents & Content.metadata);
    if ((contents & Content.to) !== 0) {
      this.#readText(columns.to, row);
      records.receiverRow[row] = numbers.unsigned() - 1;
      if (records.code[row] === 0) records.receiverCashMinor[row] = numbers.signed();
    }
    this.#readTextIf(columns.reason, row, contents & Content.reason);
    if ((contents & Content.player) !== 0) {
      records.owner[row] = numbers.unsigned();
      this.#readText(columns.player, row);
    }
    this.#readLongTextIf(columns.definition, row, contents & Content.definition);
  }

  #readTextIf(column: TextColumn, row: number, isThere: number): void {
    if (isThere === 0) column.byteCount[row] = 0;
    else this.#readText(column, row);
  }

  #readText(column: TextColumn, row: number): void {
    const numbers = this.#numbers;
    numbers.at = placeText(column, row, numbers.bytes, numbers.at);
  }

  #readLongTextIf(column: TextColumn, row: number, isThere: number): void {
    const numbers = this.#numbers;
    const byteCount = isThere === 0 ? 0 : numbers.unsigned();
    column.at[row] = numbers.at;
    column.byteCount[row] = byteCount;
    numbers.at += byteCount;
  }
}

/** Notes where a text lies behind its length and returns the place behind it. */
function placeText(column: TextColumn, row: number, bytes: Uint8Array, at: number): number {
  const byteCount = bytes[at];
  column.at[row] = at + 1;
  column.byteCount[row] = byteCount;
  return at + 1 + byteCount;
}

/** The source that texts read from a block's content point into. */
export function sourceOfContent(content: Uint8Array): FrameSource {
  return {
    bytes: content,
    view: new DataView(content.buffer, content.byteOffset, content.byteLength),
  };
}

function traitsOf(contents: number): number {
  let traits = 0;
  if ((contents & Content.noop) !== 0) traits |= OutcomeTrait.noop;
  if ((contents & Content.made) !== 0) traits |= OutcomeTrait.made;
  if ((contents & Content.joined) !== 0) traits |= OutcomeTrait.joined;
  return traits;
}

/** The usual contents are mapped once and remembered: replay spends no loop on each record. */
const knownFields: Int32Array = new Int32Array(Content.metadata).fill(-1);

function fieldsOf(contents: number): number {
  if (contents >= knownFields.length) return fieldsOfContents(contents);
  if (knownFields[contents] < 0) knownFields[contents] = fieldsOfContents(contents);
  return knownFields[contents];
}
