// RecordBatch: whatever is decided, its block holds the bytes that the plain writer gives one
// record after the other.
import { describe, expect, test } from 'vitest';
import { BlockContent } from '../../../core/block-content.ts';
import { TransactionKeys } from '../../../core/decisions/transaction-keys.ts';
import { Field, Kind } from '../../../core/kinds.ts';
import { BLOCK_CONTENT_BYTES_MAX, PASS_TRANSACTIONS_MAX } from '../../../core/limits.ts';
import { Decision } from '../../../core/records/decision.ts';
import { KeyColumns } from '../../../core/records/key-columns.ts';
import { RecordBatch } from '../../../core/records/record-batch.ts';
import { writeRecord } from '../../../core/records/record-writer.ts';
import { type TextColumn, TransactionColumns } from '../../../core/transaction-columns.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { sourceOf } from '../../support/text-source.ts';

const TIME_MS = 1_700_000_000_000;
const TEXTS = [
  ['transactionId', 0],
  ['player', Field.player],
  ['round', Field.round],
  ['reference', Field.reference],
  ['game', Field.game],
  ['metadata', Field.metadata],
] as const;

/** A pass of random transactions; `strange` of 100 have metadata too. */
function randomColumns(random: SeededRandom, strange: number): TransactionColumns {
  const columns = new TransactionColumns();
  const bytes = Uint8Array.from({ length: 65_536 }, () => 0x20 + random.below(0x5f));
  let end = 0;
  columns.count = 1 + random.below(PASS_TRANSACTIONS_MAX);
  for (let row = 0; row < columns.count; row += 1) {
    columns.kind[row] = random.below(2) === 0 ? Kind.bet : Kind.win;
    columns.provider[row] = random.below(3) * random.below(20_000);
    let fields = Field.player | Field.currency | (random.below(16) === 0 ? 0 : Field.amount);
    fields |= random.below(2) * Field.roundEnd;
    for (const [name, field] of TEXTS) {
      const isNamed = name === 'metadata' ? random.below(100) < strange : random.below(4) > 0;
      if (field > Field.player && !isNamed) continue;
      fields |= field;
      const column: TextColumn = columns[name];
      column.at[row] = end;
      column.byteCount[row] = 1 + random.below(name === 'metadata' ? 256 : 64);
      end += column.byteCount[row];
    }
    columns.fields[row] = fields;
  }
  columns.sources.push(sourceOf(bytes));
  return columns;
}

/** A decision of a row as far as its record goes; amounts of all magnitudes. */
function randomDecision(random: SeededRandom, columns: TransactionColumns, row: number): Decision {
  const decision = new Decision(new KeyColumns(PASS_TRANSACTIONS_MAX));
  const amount = () => random.amountMinor() * (random.below(2) === 0 ? 1 : -1);
  decision.begin(columns.kind[row], columns.fields[row], TIME_MS + random.below(3) * 7, row);
  decision.code = random.below(3) * 11;
  decision.provider = columns.provider[row];
  decision.accountRow = random.below(2) === 0 ? random.below(300) : random.below(2 ** 31 - 1);
  if ((columns.fields[row] & Field.amount) !== 0) decision.amountMinor = random.amountMinor();
  decision.cashMovedMinor = random.below(3) === 0 ? 0 : amount();
  decision.cashMinor = amount();
  if (random.below(30) === 0) decision.bonusMinor = amount();
  if (random.below(30) === 0) decision.heldMinor = random.amountMinor();
  return decision;
}

function newBlock(): BlockContent {
  return new BlockContent(new Uint8Array(BLOCK_CONTENT_BYTES_MAX));
}

describe('RecordBatch', () => {
  test.each([0, 10])('a block holds what the plain writer gives, %i of 100 unusual', (strange) => {
    const random = new SeededRandom(`RecordBatch ${strange}`);
    const keys = new TransactionKeys(random.bytes(16));
    const batch = new RecordBatch(keys);
    const block = newBlock();
    const expected = newBlock();
    let sequence = 0;
    for (let pass = 0; pass < 60; pass += 1) {
      const columns = randomColumns(random, strange);
      keys.begin(0);
      for (let row = 0; row < columns.count; row += 1) keys.add(columns, row, 257);
      keys.finish(columns.count);
      // In two parts, as where a record of another kind comes in between.
      const parts = [0, random.below(columns.count + 1), columns.count];
      for (const [place, until] of parts.slice(1).entries()) {
        batch.begin(block, parts[place]);
        for (let row = parts[place]; row < until; row += 1) {
          if (random.below(10) === 0) {
            batch.skip(row);
            continue;
          }
          const decision = randomDecision(random, columns, row);
          decision.timeMs = Math.max(decision.timeMs, expected.lastTimeMs);
          sequence += 1;
          decision.sequence = sequence;
          batch.add(block, decision, columns, row);
          writeRecord(expected, decision, columns, row);
        }
        batch.flush(block, until);
        expect(block.usedBytes).toBe(expected.usedBytes);
        expect([block.recordCount, block.firstSequence, block.lastTimeMs]).toEqual([
          expected.recordCount,
          expected.firstSequence,
          expected.lastTimeMs,
        ]);
      }
    }
    const written = block.bytes.subarray(0, block.usedBytes);
    expect(Buffer.compare(written, expected.bytes.subarray(0, expected.usedBytes))).toBe(0);
  });
});
