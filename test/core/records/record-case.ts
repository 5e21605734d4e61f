// A record to be written and what must be read of it: a decision beside the texts of its row. The
// facts are chosen by the test, not decided, so that every part of the layout can be reached.
import { expect } from 'vitest';
import { BlockContent } from '../../../core/block-content.ts';
import { Field, Kind } from '../../../core/kinds.ts';
import { BLOCK_CONTENT_BYTES_MAX } from '../../../core/limits.ts';
import { Decision } from '../../../core/records/decision.ts';
import { KeyColumns } from '../../../core/records/key-columns.ts';
import { RecordColumns } from '../../../core/records/record-columns.ts';
import { RecordReader, sourceOfContent } from '../../../core/records/record-reader.ts';
import { writeRecord } from '../../../core/records/record-writer.ts';
import { type TextColumn, TransactionColumns } from '../../../core/transaction-columns.ts';
import { sourceOf } from '../../support/text-source.ts';

/** The texts of a row by their columns' names. */
export type Texts = Partial<Record<TextName, string>>;

type TextName =
  | 'transactionId'
  | 'round'
  | 'reference'
  | 'game'
  | 'metadata'
  | 'to'
  | 'reason'
  | 'player'
  | 'definition';

const TEXT_NAMES: readonly TextName[] = [
  ...(['transactionId', 'round', 'reference', 'game', 'metadata', 'to', 'reason'] as const),
  ...(['player', 'definition'] as const),
];

/** Numbers of a Decision that a record carries for every kind. */
const DECISION_NUMBERS = [
  ...(['code', 'accountRow', 'timeMs', 'cashMovedMinor', 'bonusMovedMinor'] as const),
  ...(['cashMinor', 'bonusMinor', 'heldMinor'] as const),
];

/** One record: what was decided, the sender's fields, and the sender's time. */
export interface RecordCase {
  readonly decision: Partial<Decision> & { kind: number };
  readonly texts?: Texts;
  readonly sentAtMs?: number;
}

/** A block that takes records. */
export function newBlock(): BlockContent {
  return new BlockContent(new Uint8Array(BLOCK_CONTENT_BYTES_MAX));
}

/** Appends the case's record to a block. */
export function writeCase(block: BlockContent, one: RecordCase): void {
  const decision = Object.assign(new Decision(new KeyColumns(1)), {
    timeMs: 1_700_000_000_000,
    ...one.decision,
  });
  const columns = new TransactionColumns(1);
  const encoder = new TextEncoder();
  const bytes = new Uint8Array(20_000);
  let end = 0;
  columns.sources[0] = sourceOf(bytes);
  for (const name of TEXT_NAMES) {
    const { written } = encoder.encodeInto(one.texts?.[name] ?? '', bytes.subarray(end));
    columns[name].at[0] = end;
    columns[name].byteCount[0] = written;
    end += written;
  }
  columns.sentAtMs[0] = one.sentAtMs ?? 0;
  writeRecord(block, decision, columns, decision.kind >= Kind.roundAged ? -1 : 0);
}

/** Reads all of a content's records; throws where one doesn't fit. */
export function readAll(content: Uint8Array, recordCount: number): ReadRecords {
  const columns = new TransactionColumns(recordCount);
  const records = new RecordColumns(recordCount);
  columns.sources[0] = sourceOfContent(content);
  const reader = new RecordReader();
  reader.begin(content);
  for (let row = 0; row < recordCount; row += 1) reader.read(columns, records, row);
  return { columns, records, isAtEnd: reader.isAtEnd };
}

/** What readAll read. */
export interface ReadRecords {
  readonly columns: TransactionColumns;
  readonly records: RecordColumns;
  readonly isAtEnd: boolean;
}

/** Expects a row that was read to say all that the case says. */
export function expectRow(read: ReadRecords, row: number, one: RecordCase): void {
  const { columns, records } = read;
  const expected = Object.assign(new Decision(new KeyColumns(1)), {
    timeMs: 1_700_000_000_000,
    ...one.decision,
  });
  expect(columns.kind[row]).toBe(expected.kind);
  for (const name of DECISION_NUMBERS)
    expect(records[name][row] + 0, name).toBe(expected[name] + 0);
  expect(columns.amountMinor[row] + 0).toBe(expected.amountMinor + 0);
  expect(columns.provider[row]).toBe(expected.provider);
  expect(records.traits[row]).toBe(expected.traits);
  const shown = Field.player | Field.currency;
  expect(columns.fields[row]).toBe(expected.fields & ~shown);
  if (expected.kind >= Kind.roundAged) {
    expect(records.subjectSequence[row]).toBe(expected.subjectSequence);
    return;
  }
  expect(columns.expiresInMs[row]).toBe(expected.expiresInMs);
  if ((expected.fields & Field.sentAt) !== 0) expect(columns.sentAtMs[row]).toBe(one.sentAtMs);
  if ((expected.fields & Field.status) !== 0) expect(columns.status[row]).toBe(expected.status);
  if (expected.kind !== Kind.win) expect(records.extra[row]).toBe(expected.extra);
  if ((expected.fields & Field.to) !== 0) {
    expect(records.receiverRow[row]).toBe(expected.receiverRow);
    if (expected.code === 0)
      expect(records.receiverCashMinor[row]).toBe(expected.receiverCashMinor);
  }
  for (const name of TEXT_NAMES) {
    // A player's id is written only where the account is new or none.
    if (name === 'player' && one.texts?.player === undefined) continue;
    const wanted = one.texts?.[name] ?? '';
    expect(textOf(read, columns[name], row), name).toBe(wanted);
  }
  if (one.texts?.player !== undefined) expect(records.owner[row]).toBe(expected.owner);
}

function textOf(read: ReadRecords, column: TextColumn, row: number): string {
  const at = column.at[row];
  const { bytes } = read.columns.sources[0];
  return new TextDecoder().decode(bytes.subarray(at, at + column.byteCount[row]));
}
