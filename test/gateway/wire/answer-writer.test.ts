// Answers as clients read them: every length of a number, growth, positions filled in later.
import { Unpackr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { Kind } from '../../../core/kinds.ts';
import { OutcomeColumns, OutcomeFlag } from '../../../core/outcome-columns.ts';
import {
  ANSWER_BYTES_START,
  AnswerBuffer,
  writeArrayHead,
  writeShortText,
  writeWhole,
} from '../../../gateway/wire/answer-buffer.ts';
import {
  fillPosition,
  writeAnswerHead,
  writeBalance,
  writeCodes,
  writeOutcomes,
  writeRefusal,
} from '../../../gateway/wire/answer-writer.ts';

const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });
const MAX = Number.MAX_SAFE_INTEGER;

function decoded(buffer: AnswerBuffer): unknown[] {
  return unpackr.unpackMultiple(Buffer.from(buffer.takeUntil(buffer.mark))) ?? [];
}

describe('whole numbers', () => {
  const table: [number, number][] = [
    [0, 1],
    [127, 1],
    [128, 2],
    [255, 2],
    [256, 3],
    [65_535, 3],
    [65_536, 5],
    [2 ** 32 - 1, 5],
    [2 ** 32, 9],
    [1_700_000_000_000, 9],
    [MAX, 9],
    [-1, 1],
    [-32, 1],
    [-33, 5],
    [-(2 ** 31), 5],
    [-(2 ** 31) - 1, 9],
    [-(2 ** 32), 9],
    [-MAX, 9],
  ];
  it.each(table)('%d is written in %i bytes and read back', (value, byteCount) => {
    const buffer = new AnswerBuffer();
    writeWhole(buffer, value);
    expect(buffer.usedBytes).toBe(byteCount);
    expect(decoded(buffer)).toEqual([value]);
  });

  it('a −0, which arithmetic may leave, is a plain 0', () => {
    const buffer = new AnswerBuffer();
    writeWhole(buffer, -0);
    expect(Array.from(buffer.takeUntil(buffer.mark))).toEqual([0]);
  });
});

describe('answers', () => {
  it('hold records as arrays, unrecorded ones as codes, setStatus with the one before', () => {
    const outcomes = new OutcomeColumns(3);
    outcomes.code.set([0, 16, 10]);
    outcomes.flags.set([OutcomeFlag.replay, 0, 0]);
    outcomes.sequence.set([7, 0, 9]);
    outcomes.timeMs.set([1e12, 0, 1e12]);
    outcomes.cashMinor.set([MAX, 5, -4]);
    outcomes.cashMovedMinor.set([-MAX, 5, 0]);
    outcomes.extra.set([0, 0, 2]);
    const buffer = new AnswerBuffer();
    const mark = writeAnswerHead(buffer, 1, 2 ** 40, 3);
    writeOutcomes(buffer, outcomes, Uint8Array.of(Kind.bet, Kind.win, Kind.setStatus), 0, 3);
    fillPosition(buffer, mark, 2 ** 33 + 5);
    expect(decoded(buffer)).toEqual([
      [
        1,
        2 ** 40,
        2 ** 33 + 5,
        [[0, 1, 7, 1e12, MAX, 0, 0, -MAX, 0], 16, [10, 0, 9, 1e12, -4, 0, 0, 0, 0, 2]],
      ],
    ]);
  });

  it('stand in a row in one buffer, each with its own position', () => {
    const buffer = new AnswerBuffer();
    const first = writeAnswerHead(buffer, 4, 1, 0);
    const second = writeAnswerHead(buffer, 3, 2, 2);
    writeBalance(buffer, { cashMinor: 1, bonusMinor: 2, heldMinor: 3, status: 3 });
    writeCodes(buffer, 11, 1);
    writeRefusal(buffer, 3, 60, '50');
    fillPosition(buffer, second, 9);
    fillPosition(buffer, first, 8);
    expect(decoded(buffer)).toEqual([
      [4, 1, 8],
      [3, 2, 9, [[0, 1, 2, 3, 3, 0], 11]],
      [9, 3, 60, '50'],
    ]);
  });

  it.each([15, 16, 10_000, 65_535])('a list of %i codes keeps its length', (count) => {
    const buffer = new AnswerBuffer();
    buffer.reserve(3);
    writeArrayHead(buffer, count);
    writeCodes(buffer, 47, count);
    expect(decoded(buffer)).toEqual([new Array(count).fill(47)]);
  });

  it('a text of 255 bytes is the longest', () => {
    const buffer = new AnswerBuffer();
    writeShortText(buffer, 'x'.repeat(255));
    expect(decoded(buffer)).toEqual(['x'.repeat(255)]);
    expect(() => writeShortText(buffer, 'x'.repeat(256))).toThrow('texts in answers are short');
  });
});

describe('a buffer', () => {
  it('keeps marks valid through growth and through sending a part', () => {
    const buffer = new AnswerBuffer();
    const marks: number[] = [];
    for (let answer = 0; answer < 400; answer += 1) {
      marks.push(writeAnswerHead(buffer, 4, answer, 0));
      if (answer === 100) expect(buffer.takeUntil(buffer.mark).length).toBeGreaterThan(500);
    }
    for (const [answer, mark] of marks.entries()) {
      if (answer > 100) fillPosition(buffer, mark, answer * 3);
    }
    const rest = decoded(buffer);
    expect(rest.length).toBe(299);
    expect(rest[298]).toEqual([4, 399, 1_197]);
  });

  it('gives the memory of a large answer back once it was sent', () => {
    const buffer = new AnswerBuffer();
    writeCodes(buffer, 0, 1_000_000);
    expect(buffer.bytes.byteLength).toBeGreaterThan(1_000_000);
    buffer.takeUntil(buffer.mark);
    buffer.discard();
    expect(buffer.bytes.byteLength).toBe(ANSWER_BYTES_START);
    expect(buffer.mark).toBe(1_000_000);
  });
});
