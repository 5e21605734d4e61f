// FlatRows: rows keep their place and content while the table grows, frees and restores.
import { expect, test } from 'vitest';
import { FlatRows } from '../../../core/tables/flat-rows.ts';
import { type GrowingMemory, PLAIN_MEMORY } from '../../../core/tables/table-memory.ts';

/** Rows that are taken ahead, by the memory of a table without rows; then those added at a time. */
const AHEAD_ROWS = new FlatRows(1).byteCount / 4;
const STEP_ROWS = stepRows();

function stepRows(): number {
  const rows = new FlatRows(1);
  rows.allocate();
  return rows.byteCount / 4 - AHEAD_ROWS;
}

/** Memory that grows where it is, and what was asked of it. */
function memoryInPlace(asked: number[] = [], byteCountMax: number = 2 ** 24): GrowingMemory {
  const memory = new SharedArrayBuffer(0, { maxByteLength: byteCountMax });
  return {
    byteCountMax,
    grow: (byteCount) => {
      asked.push(byteCount);
      if (byteCount > memory.byteLength) memory.grow(byteCount);
      return memory;
    },
  };
}

const TEST_BYTES_MAX = 2 ** 24;

for (const [place, take] of [
  ['copied', PLAIN_MEMORY.take],
  ['grown in place', (): GrowingMemory => memoryInPlace()],
  ['linear', PLAIN_MEMORY.takeLinear],
] as const) {
  test(`rows of three steps keep what was written, as words and as doubles: ${place}`, () => {
    const rows = new FlatRows(6, take(TEST_BYTES_MAX));
    for (let row = 0; row < STEP_ROWS * 2 + 1; row += 1) {
      if (rows.allocate() !== row) expect.fail(`row ${row} has another number`);
      rows.words[rows.at(row)] = -row;
      rows.doubles[rows.at(row) / 2 + 2] = row + 2 ** 40;
    }
    for (const row of [0, 1, STEP_ROWS - 1, STEP_ROWS, 2 * STEP_ROWS - 1, 2 * STEP_ROWS]) {
      expect(rows.words[rows.at(row)] + 0).toBe(-row + 0);
      expect(rows.doubles[rows.at(row) / 2 + 2]).toBe(row + 2 ** 40);
      expect(rows.source.view.getInt32(rows.at(row) * 4, true) + 0).toBe(-row + 0);
    }
    expect(rows.rowCount).toBe(STEP_ROWS * 2 + 1);
    expect(rows.byteCount).toBe((3 * STEP_ROWS + AHEAD_ROWS) * 6 * 4);
  });

  test(`appended rows stand behind all others, over the end of a step: ${place}`, () => {
    const rows = new FlatRows(2, take(TEST_BYTES_MAX));
    for (let row = 0; row < STEP_ROWS - 1; row += 1) rows.allocate();
    rows.free(5);
    const words = Int32Array.from({ length: 10 }, (_, index) => index);
    expect(rows.append(words, 1, 3)).toBe(STEP_ROWS - 1);
    expect([0, 1, 2].map((row) => [...rows.image(STEP_ROWS - 1 + row)])).toEqual([
      [2, 3],
      [4, 5],
      [6, 7],
    ]);
    expect(rows.rowCount).toBe(STEP_ROWS + 1);
    expect([rows.allocate(), rows.allocate()]).toEqual([5, STEP_ROWS + 2]);
  });
}

test('a new row is all zeros', () => {
  const rows = new FlatRows(4);
  const row = rows.allocate();
  expect([...rows.image(row)]).toEqual([0, 0, 0, 0]);
});

test('the row freed last is the next one allocated, then the one before, then new ones', () => {
  const rows = new FlatRows(2);
  for (let row = 0; row < 5; row += 1) rows.allocate();
  for (const row of [1, 3, 2]) rows.free(row);
  expect(rows.rowCount).toBe(2);
  expect([rows.allocate(), rows.allocate(), rows.allocate(), rows.allocate()]).toEqual([
    2, 3, 1, 5,
  ]);
  expect(rows.rowCount).toBe(6);
});

test('an image restores a row and nothing beside it', () => {
  const rows = new FlatRows(2);
  for (let row = 0; row < 3; row += 1) {
    rows.allocate();
    rows.words.fill(row + 1, rows.at(row), rows.at(row) + 2);
  }
  const image = rows.image(1);
  rows.words.fill(9, rows.at(1), rows.at(1) + 2);
  rows.restore(1, image);
  expect([0, 1, 2].map((row) => [...rows.image(row)])).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
});

test('a row without words and a row that was never allocated are refused', () => {
  expect(() => new FlatRows(0)).toThrow('a row has words');
  expect(() => new FlatRows(2, memoryInPlace([], 2 ** 35))).toThrow('places of words have 32 bits');
  const rows = new FlatRows(2);
  expect(() => rows.free(0)).toThrow('a freed row was allocated');
});

test('a table asks for memory well before it needs it, and counts it', () => {
  const asked: number[] = [];
  const rows = new FlatRows(4, memoryInPlace(asked));
  const expected = [0, 1, 2].map((step) => (AHEAD_ROWS + step * STEP_ROWS) * 16);
  expect(asked).toEqual(expected.slice(0, 1));
  rows.allocate();
  expect(asked).toEqual(expected.slice(0, 2));
  for (let row = 1; row < STEP_ROWS; row += 1) rows.allocate();
  expect(asked.length).toBe(2);
  rows.allocate();
  expect(asked).toEqual(expected);
  expect(rows.byteCount).toBe(expected[2]);
});

test('rows beyond 4 GiB keep what was written', () => {
  const rowWords = 1_024;
  const rows = new FlatRows(rowWords, memoryInPlace([], 2 ** 34));
  const last = 2 ** 32 / (rowWords * 4) + 10;
  while (rows.rowCount <= last) rows.allocate();
  for (const row of [last - 10, last]) {
    rows.words[rows.at(row)] = row;
    rows.doubles[rows.at(row) / 2 + 1] = row + 0.5;
    expect(rows.source.view.getInt32(rows.at(row) * 4, true)).toBe(row);
    expect([...rows.image(row).subarray(0, 1)]).toEqual([row]);
    expect(rows.doubles[(rows.at(row) >>> 1) + 1]).toBe(row + 0.5);
  }
  expect(rows.words[0]).toBe(0);
});

test('a table that would pass its bound is refused and keeps what it has', () => {
  // Address space only: nothing is written to.
  const rows = new FlatRows(2 ** 16, memoryInPlace([], 2 ** 34));
  const allocateAll = (): void => {
    for (;;) rows.allocate();
  };
  expect(allocateAll).toThrow('a table has a bound');
  expect(rows.words.length).toBeGreaterThanOrEqual(rows.at(rows.rowCount));
  expect(allocateAll).toThrow('a table has a bound');
});

test('loading rows ahead takes any numbers and changes nothing', () => {
  const rows = new FlatRows(4);
  for (let row = 0; row < 10; row += 1) {
    const at = rows.at(rows.allocate());
    rows.words[at] = row;
  }
  rows.load(Int32Array.of(3, -1, 9, 10, 2 ** 31 - 1, 0), 0, 6);
  expect(rows.rowCount).toBe(10);
  expect(rows.words[rows.at(9)]).toBe(9);
});
