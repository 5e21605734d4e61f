// Turns plain transactions (the model's) into the columns that the core reads, as a decoder would
// after a well-formed frame. Wrong values that a decoder refuses become the problems that it
// reports.
import { Field, Kind, kindNumber } from '../../core/kinds.ts';
import { ID_BYTES_MAX, METADATA_BYTES_MAX } from '../../core/limits.ts';
import type { Directory } from '../../core/policies/directory.ts';
import { ResultCode } from '../../core/result-codes.ts';
import { type TextColumn, TransactionColumns } from '../../core/transaction-columns.ts';
import type { ModelTransaction } from '../model/model-transaction.ts';

const STATUSES = ['active', 'betLocked', 'frozen', 'closed'];
const SOURCE_BYTES = 4_194_304;
const EVERY_KIND = 0xffffffff;
const KNOWN_NAMES = new Set([
  ...['operator', 'provider', 'player', 'kind', 'transactionId', 'currency', 'amount', 'round'],
  ...['roundEnd', 'reference', 'of', 'game', 'stakeless', 'to', 'bucket', 'reason', 'expiresIn'],
  ...['status', 'definition', 'metadata', 'sentAt'],
]);

/** Columns that are filled anew for each call of fill(). */
export class TransactionBatch {
  readonly columns: TransactionColumns = new TransactionColumns();
  readonly #bytes = new Uint8Array(SOURCE_BYTES);
  #end = 0;

  constructor() {
    this.columns.sources[0] = { bytes: this.#bytes, view: new DataView(this.#bytes.buffer) };
  }

  /** Replaces the rows by these transactions. */
  fill(transactions: readonly ModelTransaction[], directory: Directory): TransactionColumns {
    this.#end = 0;
    this.columns.count = transactions.length;
    for (const [row, transaction] of transactions.entries())
      this.#fillRow(row, transaction, directory);
    return this.columns;
  }

  #fillRow(row: number, transaction: ModelTransaction, directory: Directory): void {
    const { columns } = this;
    columns.sourceIndex[row] = 0;
    columns.problem[row] = 0;
    columns.kind[row] = kindNumber(transaction.kind);
    columns.kindsAllowed[row] = EVERY_KIND;
    columns.operator[row] = directory.operatorNumber(transaction.operator);
    columns.provider[row] = Math.max(0, directory.providerNumber(transaction.provider));
    columns.amountMinor[row] = transaction.amount ?? 0;
    columns.sentAtMs[row] = transaction.sentAt ?? 0;
    columns.expiresInMs[row] = transaction.expiresIn ?? 0;
    columns.status[row] = Math.max(0, STATUSES.indexOf(transaction.status ?? 'active'));
    let problem = this.#fillTexts(row, transaction);
    if (transaction.kind === 'setOperator') {
      columns.player.at[row] = this.#end;
      columns.player.byteCount[row] = this.#append(transaction.operator);
    }
    if (Object.keys(transaction).some((name) => !KNOWN_NAMES.has(name)))
      problem = ResultCode.malformed;
    if (!isWhole(transaction.amount) || !isWhole(transaction.expiresIn))
      problem = ResultCode.malformed;
    if (
      transaction.sentAt !== undefined &&
      !(Number.isSafeInteger(transaction.sentAt) && transaction.sentAt >= 0)
    )
      problem = ResultCode.malformed;
    if (transaction.transactionId === '') problem = ResultCode.malformed;
    if (columns.kind[row] === 0 || columns.kind[row] > Kind.setOperator)
      problem = ResultCode.unknownKind;
    columns.fields[row] = fieldsOf(transaction);
    columns.problem[row] = problem;
  }

  #fillTexts(row: number, transaction: ModelTransaction): number {
    const { columns } = this;
    const definition =
      transaction.definition === undefined ? '' : JSON.stringify(transaction.definition);
    const problems = [
      this.#fillId(columns.transactionId, row, transaction.transactionId),
      this.#fillId(columns.player, row, transaction.player),
      this.#fillId(columns.round, row, transaction.round),
      this.#fillId(columns.reference, row, transaction.reference),
      this.#fillId(columns.game, row, transaction.game),
      this.#fillId(columns.to, row, transaction.to),
      this.#fillId(columns.reason, row, transaction.reason),
      this.#fillText(columns.currency, row, transaction.currency ?? '', 255, ResultCode.ok),
      this.#fillText(columns.definition, row, definition, 16_384, ResultCode.tooLarge),
      this.#fillText(
        columns.metadata,
        row,
        transaction.metadata ?? '',
        METADATA_BYTES_MAX,
        ResultCode.tooLarge,
      ),
    ];
    if (problems.includes(ResultCode.malformed)) return ResultCode.malformed;
    if (problems.includes(ResultCode.idTooLong)) return ResultCode.idTooLong;
    return problems.includes(ResultCode.tooLarge) ? ResultCode.tooLarge : ResultCode.ok;
  }

  #fillId(column: TextColumn, row: number, text: string | undefined): number {
    const value = text ?? '';
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused.
    if (!value.isWellFormed() || /[\u0000-\u001f\u007f]/.test(value)) {
      this.#fillText(column, row, '', 0, 0);
      return ResultCode.malformed;
    }
    return this.#fillText(column, row, value, ID_BYTES_MAX, ResultCode.idTooLong);
  }

  #fillText(
    column: TextColumn,
    row: number,
    text: string,
    bytesMax: number,
    tooLong: number,
  ): number {
    const at = this.#end;
    const byteCount = this.#append(text);
    column.at[row] = at;
    column.byteCount[row] = byteCount > bytesMax ? 0 : byteCount;
    return byteCount > bytesMax ? tooLong : ResultCode.ok;
  }

  #append(text: string): number {
    const { written } = new TextEncoder().encodeInto(text, this.#bytes.subarray(this.#end));
    this.#end += written;
    return written;
  }
}

function isWhole(value: number | undefined): boolean {
  return value === undefined || Number.isInteger(value);
}

function fieldsOf(transaction: ModelTransaction): number {
  const { of, bucket } = transaction;
  const named: readonly (readonly [number, unknown])[] = [
    [Field.player, transaction.player],
    [Field.currency, transaction.currency],
    [Field.amount, transaction.amount !== undefined],
    [Field.round, transaction.round],
    [Field.roundEnd, transaction.roundEnd],
    [Field.stakeless, transaction.stakeless],
    [Field.reference, transaction.reference],
    [Field.game, transaction.game],
    [Field.metadata, transaction.metadata],
    [Field.sentAt, transaction.sentAt !== undefined],
    [Field.ofWin, of === 'win'],
    [Field.to, transaction.to],
    [Field.bucketBonus, bucket === 'bonus'],
    [Field.reason, transaction.reason],
    [Field.expiresIn, transaction.expiresIn !== undefined],
    [Field.status, transaction.status],
    [Field.definition, transaction.definition !== undefined],
  ];
  let fields = 0;
  for (const [field, value] of named) if (value) fields |= field;
  return fields;
}
