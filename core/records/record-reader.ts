// Reads the records of a block into columns, for replay and for whoever shows the log. The mirror
// of record-writer.ts; the layout is record-layout.ts. The block's checksum has been verified
// before, so what doesn't fit here is a broken invariant and not bad luck.
import { assert } from '../assert.ts';
import { OutcomeTrait } from '../tables/outcome-rows.ts';
import type { FrameSource, TextColumn, TransactionColumns } from '../transaction-columns.ts';
import type { RecordColumns } from './record-columns.ts';
import { Content } from './record-layout.ts';
import { fieldsOfContents } from './record-writer.ts';
import { VarintReader } from './varint.ts';

const FIRST_KIND_WITHOUT_TEXTS = 32;

/** Contents that put no part between the provider and the transaction id. */
const RARE_CONTENTS = Content.metadata | ~(Content.sentAt - 1);

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
    return this.#numbers.at === this.#numbers.bytes.byteLength;
  }

  /** Where the next record starts in the block. */
  get at(): number {
    return this.#numbers.at;
  }

  /** Reads the next record into a row of both columns; texts lie in source 0 (the block). */
  read(columns: TransactionColumns, records: RecordColumns, row: number): void {
    const numbers = this.#numbers;
    numbers.end = numbers.bytes.byteLength;
    const byteCount = numbers.unsigned();
    const end = numbers.at + byteCount;
    assert(end <= numbers.end, 'a record ends within its block');
    numbers.end = end;
    columns.sourceIndex[row] = 0;
    columns.problem[row] = 0;
    columns.kind[row] = numbers.byte();
    records.code[row] = numbers.byte();
    const contents = numbers.unsigned();
    columns.fields[row] = fieldsOf(contents);
    records.traits[row] = traitsOf(contents);
    records.accountRow[row] = numbers.unsigned() - 1;
    this.#lastTimeMs += numbers.unsigned();
    records.timeMs[row] = this.#lastTimeMs;
    this.#readNumbers(columns, records, row, contents);
    if (columns.kind[row] >= FIRST_KIND_WITHOUT_TEXTS) {
      records.subjectSequence[row] = numbers.unsigned();
    } else {
      this.#readTexts(columns, records, row, contents);
    }
    assert(numbers.at === end, 'a record ends where its length says');
  }

  #readNumbers(
    columns: TransactionColumns,
    records: RecordColumns,
    row: number,
    contents: number,
  ): void {
    const numbers = this.#numbers;
    const amountMinor = (contents & Content.amount) === 0 ? 0 : numbers.unsigned();
    const isNegative = (contents & Content.amountNegative) !== 0;
    columns.amountMinor[row] = isNegative ? -amountMinor : amountMinor;
    const hasCashMoved = (contents & Content.cashMoved) !== 0;
    records.cashMovedMinor[row] = hasCashMoved ? numbers.signed() : 0;
    records.cashMinor[row] = records.accountRow[row] < 0 ? 0 : numbers.signed();
    const hasBonus = (contents & Content.bonus) !== 0;
    records.bonusMovedMinor[row] = hasBonus ? numbers.signed() : 0;
    records.bonusMinor[row] = hasBonus ? numbers.signed() : 0;
    records.heldMinor[row] = (contents & Content.held) === 0 ? 0 : numbers.unsigned();
    columns.provider[row] = (contents & Content.provider) === 0 ? 0 : numbers.unsigned();
  }

  #readTexts(
    columns: TransactionColumns,
    records: RecordColumns,
    row: number,
    contents: number,
  ): void {
    const isRare = (contents & RARE_CONTENTS) !== 0;
    records.extra[row] = 0;
    columns.expiresInMs[row] = 0;
    if (isRare) this.#readRareNumbers(columns, records, row, contents);
    this.#readText(columns.transactionId, row);
    this.#readTextIf(columns.round, row, contents & Content.round);
    this.#readTextIf(columns.reference, row, contents & Content.reference);
    this.#readTextIf(columns.game, row, contents & Content.game);
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
    this.#place(column, row, this.#numbers.byte());
  }

  #readLongTextIf(column: TextColumn, row: number, isThere: number): void {
    if (isThere === 0) column.byteCount[row] = 0;
    else this.#place(column, row, this.#numbers.unsigned());
  }

  #place(column: TextColumn, row: number, byteCount: number): void {
    const numbers = this.#numbers;
    column.at[row] = numbers.at;
    column.byteCount[row] = byteCount;
    numbers.at += byteCount;
    assert(numbers.at <= numbers.end, 'a text ends within its record');
  }
}

/** The source that texts read from a block's content point into. */
export function sourceOfContent(content: Uint8Array): FrameSource {
  return {
    bytes: content,
    view: new DataView(content.buffer, content.byteOffset, content.byteLength),
  };
}

function traitsOf(contents: number): number {
  const noop = (contents & Content.noop) === 0 ? 0 : OutcomeTrait.noop;
  return (contents & Content.made) === 0 ? noop : noop | OutcomeTrait.made;
}

/** The usual contents are mapped once and remembered: replay spends no loop on each record. */
const knownFields: Int32Array = new Int32Array(Content.metadata).fill(-1);

function fieldsOf(contents: number): number {
  if (contents >= knownFields.length) return fieldsOfContents(contents);
  if (knownFields[contents] < 0) knownFields[contents] = fieldsOfContents(contents);
  return knownFields[contents];
}
