// One row of the journal and its bytes for COPY. The order of fields is that of the table
// `transactions`. Rows are written for each record, so one object is filled again and again; what
// has to outlive its block is kept by copyRow.
import type { CopyWriter } from './copy-writer.ts';

/** Bits of `flags`. */
export const JournalFlag = {
  roundEnd: 1,
  ofWin: 2,
  stakeless: 4,
  noop: 8,
  made: 16,
  joined: 32,
  bonusBucket: 64,
  received: 128,
} as const;

/** Places of fields in a row, of those that are read back. */
export const JournalField = {
  sequence: 2,
  kind: 4,
  code: 5,
  accountId: 7,
  providerId: 10,
  gameId: 11,
  transactionId: 19,
  round: 20,
} as const;

const FIELD_COUNT = 24;

/** Bytes of a text within what it was read from; length 0 for none. */
export interface TextPlace {
  source: Uint8Array;
  at: number;
  byteCount: number;
}

/** A row; numbers as in the log, 0 for no provider and no game, −1 for no account. */
export interface JournalRow {
  timeMs: number;
  position: number;
  sequence: number;
  shard: number;
  kind: number;
  code: number;
  flags: number;
  accountId: number;
  owner: number;
  operatorId: number;
  currencyId: number;
  providerId: number;
  gameId: number;
  /** NaN where the sender named none. */
  amountMinor: number;
  cashMovedMinor: number;
  bonusMovedMinor: number;
  heldMovedMinor: number;
  cashMinor: number;
  bonusMinor: number;
  heldMinor: number;
  readonly transactionId: TextPlace;
  readonly round: TextPlace;
  readonly reference: TextPlace;
  readonly metadata: TextPlace;
  /** JSON, or '' for none. */
  details: string;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** A row to fill. */
export function emptyRow(): JournalRow {
  const noText = (): TextPlace => ({ source: NO_BYTES, at: 0, byteCount: 0 });
  return {
    timeMs: 0,
    position: 0,
    sequence: 0,
    shard: 0,
    kind: 0,
    code: 0,
    flags: 0,
    accountId: -1,
    owner: 0,
    operatorId: 0,
    currencyId: 0,
    providerId: 0,
    gameId: 0,
    amountMinor: 0,
    cashMovedMinor: 0,
    bonusMovedMinor: 0,
    heldMovedMinor: 0,
    cashMinor: 0,
    bonusMinor: 0,
    heldMinor: 0,
    transactionId: noText(),
    round: noText(),
    reference: noText(),
    metadata: noText(),
    details: '',
  };
}

/** A copy that does not need the block any more. */
export function copyRow(row: JournalRow): JournalRow {
  const kept = ({ source, at, byteCount }: TextPlace): TextPlace => ({
    source: source.slice(at, at + byteCount),
    at: 0,
    byteCount,
  });
  return {
    ...row,
    transactionId: kept(row.transactionId),
    round: kept(row.round),
    reference: kept(row.reference),
    metadata: kept(row.metadata),
  };
}

/** A text as a string. */
export function textOf({ source, at, byteCount }: TextPlace): string {
  return Buffer.from(source.buffer, source.byteOffset + at, byteCount).toString();
}

/** Makes a place hold a string. */
export function setText(place: TextPlace, text: string): void {
  place.source = Buffer.from(text);
  place.at = 0;
  place.byteCount = place.source.byteLength;
}

/** Writes the row. */
export function writeRow(writer: CopyWriter, row: JournalRow): void {
  const { transactionId, round, reference, metadata, details } = row;
  const textBytes =
    transactionId.byteCount + round.byteCount + reference.byteCount + metadata.byteCount;
  writer.beginRow(FIELD_COUNT, textBytes + details.length * 3 + 1);
  writer.time(row.timeMs);
  writer.int64(row.position);
  writer.int64(row.sequence);
  writer.int16(row.shard);
  writer.int16(row.kind);
  writer.int16(row.code);
  writer.int32(row.flags);
  if (row.accountId < 0) writer.null();
  else writer.int32(row.accountId);
  writer.int32OrNull(row.operatorId);
  writer.int32OrNull(row.currencyId);
  writer.int32OrNull(row.providerId);
  writer.int32OrNull(row.gameId);
  if (Number.isNaN(row.amountMinor)) writer.null();
  else writer.int64(row.amountMinor);
  writer.int64(row.cashMovedMinor);
  writer.int64(row.bonusMovedMinor);
  writer.int64(row.heldMovedMinor);
  writer.int64(row.cashMinor);
  writer.int64(row.bonusMinor);
  writer.int64(row.heldMinor);
  writeText(writer, transactionId);
  writeText(writer, round);
  writeText(writer, reference);
  writeText(writer, metadata);
  if (details === '') writer.null();
  else writer.json(details);
}

/** Where a field of a written row lies: place and length, −1 for null. */
export function findField(view: DataView, rowAt: number, field: number): [number, number] {
  let at = rowAt + 2;
  for (let index = 0; ; index += 1) {
    const byteCount = view.getInt32(at);
    if (index === field) return [at + 4, byteCount];
    at += 4 + Math.max(byteCount, 0);
  }
}

function writeText(writer: CopyWriter, { source, at, byteCount }: TextPlace): void {
  if (byteCount === 0) writer.null();
  else writer.bytes(source, at, byteCount);
}
