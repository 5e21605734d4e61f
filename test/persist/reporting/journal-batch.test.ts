// The journal rows of a snapshot as Postgres gets them: by account, and each account's in the order
// of the log, in pieces of whole rows.
import { beforeEach, expect, test } from 'vitest';
import { CopyWriter } from '../../../persist/reporting/copy-writer.ts';
import { JournalBatch } from '../../../persist/reporting/journal-batch.ts';
import { emptyRow, setText, writeRow } from '../../../persist/reporting/journal-row.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const ACCOUNT_MAX = 2 ** 30 - 1;
const PIECE_BYTES = 4_096;

interface Entry {
  /** −1 for none. */
  readonly accountId: number;
  readonly sequence: number;
  readonly text: string;
}

const row = emptyRow();
let batch = new JournalBatch();

beforeEach(() => {
  batch = new JournalBatch();
});

/** Some accounts next to each other, some far apart, the highest and none. */
function makeEntries(random: SeededRandom, count: number): Entry[] {
  return Array.from({ length: count }, (_, index) => {
    const far = random.below(8) * 2 ** 27 + random.below(2 ** 27);
    const accountId = [random.below(40), far, ACCOUNT_MAX, -1][random.below(4)];
    return { accountId, sequence: index + 1, text: 'x'.repeat(1 + random.below(64)) };
  });
}

function fill({ accountId, sequence, text }: Entry): typeof row {
  Object.assign(row, { accountId, sequence });
  setText(row.transactionId, text);
  return row;
}

function bytesOf(entries: readonly Entry[]): Buffer {
  const writer = new CopyWriter();
  for (const entry of entries) writeRow(writer, fill(entry));
  return Buffer.from(writer.rows);
}

function inOrder(entries: readonly Entry[]): Entry[] {
  const place = ({ accountId }: Entry): number => (accountId < 0 ? ACCOUNT_MAX + 1 : accountId);
  return [...entries].sort((one, other) => place(one) - place(other));
}

test('rows come by account, each account in order, those of none last', () => {
  const random = new SeededRandom('rows come by account');
  for (const count of [1, 5_000, 700]) {
    batch.clear();
    const entries = makeEntries(random, count);
    for (const entry of entries) batch.add(fill(entry));
    const pieces = Array.from(batch.sorted(PIECE_BYTES), (piece) => Buffer.from(piece));
    expect(Buffer.concat(pieces).equals(bytesOf(inOrder(entries)))).toBe(true);
  }
});

test('a piece is of whole rows, and stays as it is while the next one is made', () => {
  const entries = makeEntries(new SeededRandom('a piece stays'), 3_000);
  for (const entry of entries) batch.add(fill(entry));
  const ends = new Set<number>();
  let end = 0;
  for (const entry of inOrder(entries)) {
    end += bytesOf([entry]).byteLength;
    ends.add(end);
  }
  let before: { readonly piece: Uint8Array; readonly copy: Buffer } | undefined;
  let pieceEnd = 0;
  for (const piece of batch.sorted(PIECE_BYTES)) {
    expect(piece.byteLength).toBeLessThanOrEqual(PIECE_BYTES);
    pieceEnd += piece.byteLength;
    expect(ends.has(pieceEnd)).toBe(true);
    if (before !== undefined) expect(before.copy.equals(before.piece)).toBe(true);
    before = { piece, copy: Buffer.from(piece) };
  }
  expect(pieceEnd).toBe(end);
});
