// From a record as the log has it to a row of the journal. One record at a time: reads it with the
// core's reader into the first row of its columns, and fills one JournalRow. Knows nothing of
// batches or of Postgres. Belongs to the reporter's thread.
import { Field, Kind } from '../../core/kinds.ts';
import { RecordColumns } from '../../core/records/record-columns.ts';
import { RecordReader } from '../../core/records/record-reader.ts';
import { ResultCode } from '../../core/result-codes.ts';
import { OutcomeTrait } from '../../core/tables/outcome-rows.ts';
import { MarkType } from '../../core/tables/transaction-index.ts';
import { type TextColumn, TransactionColumns } from '../../core/transaction-columns.ts';
import type { LogBlock } from '../log-chain.ts';
import { accountId } from './account-book.ts';
import { emptyRow, JournalFlag, type JournalRow, type TextPlace } from './journal-row.ts';

const STATUS_NAMES = ['active', 'betLocked', 'frozen', 'closed'] as const;
const RARE_FIELDS: number =
  Field.metadata | Field.sentAt | Field.to | Field.reason | Field.expiresIn | Field.status;

/** The record that was read last. */
export class RecordRow {
  readonly #columns = new TransactionColumns(1);
  readonly #records = new RecordColumns(1);
  readonly #reader = new RecordReader();
  #block: LogBlock | null = null;
  #readCount = 0;
  /** Its row; owner, game, operator and currency are the caller's to fill. */
  readonly row: JournalRow = emptyRow();
  readonly game: TextPlace = { source: new Uint8Array(0), at: 0, byteCount: 0 };

  /** Starts a block, whose content must stay until its last record was read. */
  begin(block: LogBlock): void {
    this.#block = block;
    this.#readCount = 0;
    this.#reader.begin(block.content);
    const { row } = this;
    for (const text of [row.transactionId, row.round, row.reference, row.metadata, this.game]) {
      text.source = block.content;
    }
  }

  /** Reads the next record; false at the block's end. */
  next(): boolean {
    const block = this.#block;
    if (block === null || this.#readCount === block.header.recordCount) return false;
    this.#reader.read(this.#columns, this.#records, 0);
    this.#fill(block);
    this.#readCount += 1;
    return true;
  }

  get fields(): number {
    return this.#columns.fields[0];
  }

  /** Whether the record made its account. */
  get isOpening(): boolean {
    return (this.#records.traits[0] & OutcomeTrait.made) !== 0;
  }

  /** Operator × 256 + currency's number; only of an opening. */
  get openedOwner(): number {
    return this.#records.owner[0];
  }

  /** The player's id of an opening, the operator's name of a setOperator. */
  get player(): TextPlace {
    return this.#place(this.#columns.player);
  }

  /** Text of a definition. */
  get definition(): string {
    return this.#textOf(this.#columns.definition);
  }

  /** Status that a setStatus set. */
  get status(): number {
    return this.#columns.status[0];
  }

  /** roundAged, holdExpired: the record that opened the round or made the hold. */
  get subjectSequence(): number {
    return this.#records.subjectSequence[0];
  }

  /** An accepted transfer's other side. */
  get receiver(): { readonly accountId: number; readonly cashMinor: number } {
    return {
      accountId: accountId(this.row.shard, this.#records.receiverRow[0]),
      cashMinor: this.#records.receiverCashMinor[0],
    };
  }

  /** Whether a rollback took back a known bet or win. */
  get isReversal(): boolean {
    return this.row.kind === Kind.rollback && this.#records.extra[0] === MarkType.reversal;
  }

  #fill({ header, content }: LogBlock): void {
    const { row } = this;
    const columns = this.#columns;
    const records = this.#records;
    const kind = columns.kind[0];
    const fields = columns.fields[0];
    const accountRow = records.accountRow[0];
    row.timeMs = records.timeMs[0];
    row.position = header.blockNumber;
    row.sequence = header.firstSequence + this.#readCount;
    row.shard = header.shard;
    row.kind = kind;
    row.code = records.code[0];
    row.flags = flagsOf(fields, records.traits[0]);
    row.accountId = accountRow < 0 ? -1 : accountId(header.shard, accountRow);
    row.providerId = columns.provider[0];
    row.amountMinor = (fields & Field.amount) === 0 ? Number.NaN : columns.amountMinor[0];
    row.cashMovedMinor = records.cashMovedMinor[0];
    row.bonusMovedMinor = records.bonusMovedMinor[0];
    row.heldMovedMinor = row.code === ResultCode.ok ? heldMovedBy(row) : 0;
    row.cashMinor = records.cashMinor[0];
    row.bonusMinor = records.bonusMinor[0];
    row.heldMinor = records.heldMinor[0];
    row.details = '';
    row.metadata.byteCount = 0;
    const hasTexts = kind < Kind.roundAged;
    row.round.source = content;
    setPlace(row.transactionId, columns.transactionId, hasTexts);
    setPlace(row.round, columns.round, hasTexts);
    setPlace(row.reference, columns.reference, hasTexts);
    setPlace(this.game, columns.game, hasTexts);
    if ((fields & RARE_FIELDS) !== 0 || kind === Kind.rollback) this.#fillRare(fields);
  }

  #fillRare(fields: number): void {
    const { row } = this;
    const columns = this.#columns;
    const extra = this.#records.extra[0];
    setPlace(row.metadata, columns.metadata, (fields & Field.metadata) !== 0);
    const details: Record<string, unknown> = {};
    const has = (field: number): boolean => (fields & field) !== 0;
    if (has(Field.sentAt)) details.sentAt = new Date(columns.sentAtMs[0]).toISOString();
    if (has(Field.expiresIn)) details.expiresInMs = columns.expiresInMs[0];
    if (has(Field.status)) {
      details.status = STATUS_NAMES[columns.status[0]];
      details.statusBefore = STATUS_NAMES[extra];
    }
    if (has(Field.to)) details.to = this.#textOf(columns.to);
    if (has(Field.reason)) details.reason = this.#textOf(columns.reason);
    if (row.kind === Kind.rollback && extra === MarkType.tombstoneRefuse)
      details.unknownBet = 'refuse';
    if (row.kind === Kind.rollback && extra === MarkType.tombstoneNoop) details.unknownBet = 'noop';
    if (Object.keys(details).length > 0) row.details = JSON.stringify(details);
  }

  #place(column: TextColumn): TextPlace {
    const source = this.#block?.content ?? new Uint8Array(0);
    return { source, at: column.at[0], byteCount: column.byteCount[0] };
  }

  #textOf(column: TextColumn): string {
    const { source, at, byteCount } = this.#place(column);
    return Buffer.from(source.subarray(at, at + byteCount)).toString();
  }
}

function setPlace(place: TextPlace, column: TextColumn, isThere: boolean): void {
  place.at = column.at[0];
  place.byteCount = isThere ? column.byteCount[0] : 0;
}

function flagsOf(fields: number, traits: number): number {
  let flags = 0;
  if ((fields & Field.roundEnd) !== 0) flags |= JournalFlag.roundEnd;
  if ((fields & Field.ofWin) !== 0) flags |= JournalFlag.ofWin;
  if ((fields & Field.stakeless) !== 0) flags |= JournalFlag.stakeless;
  if ((fields & Field.bucketBonus) !== 0) flags |= JournalFlag.bonusBucket;
  if ((traits & OutcomeTrait.noop) !== 0) flags |= JournalFlag.noop;
  if ((traits & OutcomeTrait.made) !== 0) flags |= JournalFlag.made;
  if ((traits & OutcomeTrait.joined) !== 0) flags |= JournalFlag.joined;
  return flags;
}

/** What an accepted record moved in the bucket `held`, which it does not carry itself. */
function heldMovedBy({ kind, amountMinor, cashMovedMinor }: JournalRow): number {
  if (kind === Kind.hold) return amountMinor;
  if (kind === Kind.capture || kind === Kind.release) return -amountMinor;
  return kind === Kind.holdExpired ? -cashMovedMinor : 0;
}
