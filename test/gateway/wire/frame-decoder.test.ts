// FrameDecoder: whatever a client sends, its columns and its run end as those of the reader that
// decodes one transaction after the other.
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { Kind } from '../../../core/kinds.ts';
import { type TextColumn, TransactionColumns } from '../../../core/transaction-columns.ts';
import { FrameDecoder } from '../../../gateway/wire/frame-decoder.ts';
import { emptyColumns, readTransactions } from '../../../gateway/wire/transaction-reader.ts';
import type { Sender, TransactionRun } from '../../../gateway/wire/transaction-run.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { sourceOf } from '../../support/text-source.ts';

const packr = new Packr({ useRecords: false });
const NO_BOUND = Number.POSITIVE_INFINITY;

const sender: Sender = {
  kindsAllowed: 0xff,
  operatorNumber: 3,
  providerNumber: 4,
  findOperator: (name) => (name === 'demo' ? 5 : -1),
  findProvider: (name) => (name === 'studio' ? 6 : -1),
};

/** A run whose bytes lie behind some others in their source. */
function runOf(frame: Uint8Array, count: number, before = 0): TransactionRun {
  const bytes = new Uint8Array(before + frame.byteLength + 3).fill(0x41);
  bytes.set(frame, before);
  const end = before + frame.byteLength;
  const source = sourceOf(bytes);
  return {
    source,
    sourceIndex: 2,
    sender,
    at: before,
    end,
    remaining: count,
    isInterrupted: false,
  };
}

function textColumns(columns: TransactionColumns): Record<string, TextColumn> {
  const { transactionId, player, currency, round, reference, game } = columns;
  const { metadata, to, reason, definition } = columns;
  const common = { transactionId, player, currency, round, reference, game };
  return { ...common, metadata, to, reason, definition };
}

/** What a row holds, as far as it means anything. */
function rowOf(columns: TransactionColumns, row: number): Record<string, unknown> {
  const texts = Object.entries(textColumns(columns)).map(([name, { at, byteCount }]) => [
    name,
    byteCount[row] === 0 ? 'absent' : `${at[row]} ${byteCount[row]}`,
  ]);
  return {
    kind: columns.kind[row],
    fields: columns.fields[row],
    problem: columns.problem[row],
    amountMinor: columns.amountMinor[row],
    sentAtMs: columns.sentAtMs[row],
    sender: [columns.kindsAllowed, columns.operator, columns.provider, columns.sourceIndex].map(
      (column) => column[row],
    ),
    ...Object.fromEntries(texts),
  };
}

/** How decoding went: what it returned, where the run stands, what the rows hold. */
function resultOf(columns: TransactionColumns, run: TransactionRun, isWhole: boolean): unknown {
  const { at, isInterrupted, remaining } = run;
  const rows = Array.from({ length: columns.count }, (_, row) => rowOf(columns, row));
  return { isWhole, at, remaining, isInterrupted, rows };
}

const STRANGE: readonly unknown[] = [
  ...[null, '', 'ä', 'tab\t', 'del\x7f', 'x'.repeat(65), 'x'.repeat(300), 7, -1, 2 ** 40, 1.5, {}],
  ...[[], true, new Uint8Array(3)],
];

function randomTransaction(random: SeededRandom, strangeness: number): unknown[] {
  const text = (lengthMax: number) => {
    const length = 1 + random.below(lengthMax);
    return Array.from({ length }, () => String.fromCharCode(0x20 + random.below(0x5f))).join('');
  };
  const maybe = (value: unknown) => (random.below(3) === 0 ? null : value);
  const amount = Math.floor(2 ** (random.below(3300) / 100)) - 1;
  const elements: unknown[] = [
    1 + random.below(15),
    text(64),
    text(64),
    text(8),
    maybe(amount),
    maybe(text(64)),
    maybe(random.below(4)),
    maybe(text(64)),
    maybe(text(64)),
    maybe(text(100)),
    maybe(1e12),
    maybe({ provider: 'studio' }),
  ].slice(0, random.below(8) === 0 ? random.below(13) : 4 + random.below(6));
  for (const [place] of elements.entries()) {
    if (random.below(100) >= strangeness) continue;
    elements[place] = STRANGE[random.below(STRANGE.length)];
  }
  return elements;
}

describe('FrameDecoder', () => {
  test.each([
    ['plain', 0],
    ['nearly plain', 1],
    ['often strange', 20],
  ])('%s transactions are decoded as one by one', (_, strangeness) => {
    const random = new SeededRandom(`FrameDecoder ${strangeness}`);
    const decoder = new FrameDecoder();
    const expected = new TransactionColumns();
    for (let round = 0; round < 1_500; round += 1) {
      const count = 1 + random.below(40);
      const transactions = Array.from({ length: count }, () =>
        randomTransaction(random, strangeness),
      );
      const parts = transactions.map((each) => packr.pack(each));
      const frame = new Uint8Array(Buffer.concat(parts));
      // Sometimes a byte is another, or the end is missing.
      if (random.below(4) === 0) frame[random.below(frame.length)] = random.word();
      const cut = random.below(4) === 0 ? random.below(frame.length) : frame.length;
      const before = random.below(2_000);
      const [run, expectedRun] = [0, 1].map(() => runOf(frame.subarray(0, cut), count, before));
      emptyColumns(decoder.columns);
      emptyColumns(expected);
      const rowsMax = random.below(2) === 0 ? count : random.below(count + 1);
      const bytesMax = random.below(2) === 0 ? NO_BOUND : random.below(frame.length + 1);
      const isWhole = decoder.decode(run, rowsMax, bytesMax);
      const expectedWhole = readTransactions(expectedRun, expected, rowsMax, bytesMax);
      expect(resultOf(decoder.columns, run, isWhole), `round ${round}`).toEqual(
        resultOf(expected, expectedRun, expectedWhole),
      );
    }
  });

  test('all lengths of ids and all sizes of amounts are plain, and end where they should', () => {
    const decoder = new FrameDecoder();
    const expected = new TransactionColumns();
    const amounts = [0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
    const transactions = Array.from({ length: 64 }, (_, place) => {
      const id = 'i'.repeat(place + 1);
      const amount = amounts[place % amounts.length];
      return [Kind.bet, id, id, 'E'.repeat((place % 8) + 1), amount, id, place % 4, id, id];
    });
    const frame = new Uint8Array(Buffer.concat(transactions.map((each) => packr.pack(each))));
    const [run, expectedRun] = [0, 1].map(() => runOf(frame, transactions.length, 5));
    const isWhole = decoder.decode(run, transactions.length, NO_BOUND);
    const expectedWhole = readTransactions(expectedRun, expected, transactions.length, NO_BOUND);
    expect(resultOf(decoder.columns, run, isWhole)).toEqual(
      resultOf(expected, expectedRun, expectedWhole),
    );
  });

  test('each byte that no id may hold is refused wherever it stands', () => {
    const decoder = new FrameDecoder();
    const expected = new TransactionColumns();
    const bytes = [0x00, 0x09, 0x1f, 0x20, 0x7e, 0x7f, 0x80, 0xff];
    for (let length = 1; length <= 17; length += 1) {
      for (let place = 0; place < length; place += 1) {
        const frames = bytes.map((byte) => {
          const frame = packr.pack([Kind.open, 'i'.repeat(length), 'player', 'EUR']);
          frame[3 + place] = byte;
          return frame;
        });
        const frame = new Uint8Array(Buffer.concat(frames));
        const [run, expectedRun] = [0, 1].map(() => runOf(frame, bytes.length));
        emptyColumns(decoder.columns);
        emptyColumns(expected);
        const isWhole = decoder.decode(run, bytes.length, NO_BOUND);
        const expectedWhole = readTransactions(expectedRun, expected, bytes.length, NO_BOUND);
        expect(resultOf(decoder.columns, run, isWhole), `${place} of ${length}`).toEqual(
          resultOf(expected, expectedRun, expectedWhole),
        );
      }
    }
  });
});
