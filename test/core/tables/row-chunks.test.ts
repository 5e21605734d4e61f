// RowChunks: rows keep their place and content while the table grows, frees and restores.
import { expect, test } from 'vitest';
import { RowChunks } from '../../../core/tables/row-chunks.ts';

/** Rows of a chunk, by the memory that a first row takes. */
function chunkRowsOf(rowWords: number): number {
  const rows = new RowChunks(rowWords);
  rows.allocate();
  return rows.byteCount / (rowWords * 4);
}

test('rows of three chunks keep what was written, as words and as doubles', () => {
  const chunkRows = chunkRowsOf(6);
  const rows = new RowChunks(6);
  for (let row = 0; row < chunkRows * 2 + 1; row += 1) {
    if (rows.allocate() !== row) expect.fail(`row ${row} has another number`);
    rows.words(row)[rows.at(row)] = -row;
    rows.floats(row)[rows.at(row) / 2 + 2] = row + 2 ** 40;
  }
  for (const row of [0, 1, -1, 0, -1, 0].map((step, place) => (place >> 1) * chunkRows + step)) {
    if (row < 0) continue;
    expect(rows.words(row)[rows.at(row)] + 0).toBe(-row + 0);
    expect(rows.floats(row)[rows.at(row) / 2 + 2]).toBe(row + 2 ** 40);
  }
  expect(rows.rowCount).toBe(chunkRows * 2 + 1);
  expect(rows.byteCount).toBe(3 * chunkRows * 6 * 4);
});

test('a new row is all zeros', () => {
  const rows = new RowChunks(4);
  const row = rows.allocate();
  expect([...rows.image(row)]).toEqual([0, 0, 0, 0]);
});

test('growing moves no chunk: views taken before stay valid', () => {
  const rows = new RowChunks(2);
  const first = rows.words(rows.allocate());
  for (let row = chunkRowsOf(2); row > 0; row -= 1) rows.allocate();
  expect(rows.words(0)).toBe(first);
  expect(rows.words(chunkRowsOf(2))).not.toBe(first);
});

test('the row freed last is the next one allocated, then the one before, then new ones', () => {
  const rows = new RowChunks(2);
  for (let row = 0; row < 5; row += 1) rows.allocate();
  for (const row of [1, 3, 2]) rows.free(row);
  expect(rows.rowCount).toBe(2);
  expect([rows.allocate(), rows.allocate(), rows.allocate(), rows.allocate()]).toEqual([
    2, 3, 1, 5,
  ]);
  expect(rows.rowCount).toBe(6);
});

test('an image restores a row and nothing beside it', () => {
  const rows = new RowChunks(2);
  for (let row = 0; row < 3; row += 1) {
    rows.allocate();
    rows.words(row).fill(row + 1, rows.at(row), rows.at(row) + 2);
  }
  const image = rows.image(1);
  rows.words(1).fill(9, rows.at(1), rows.at(1) + 2);
  rows.restore(1, image);
  expect([0, 1, 2].map((row) => [...rows.image(row)])).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
});

test('an odd number of words and a row that was never allocated are refused', () => {
  expect(() => new RowChunks(0)).toThrow('a row has words');
  const rows = new RowChunks(2);
  expect(() => rows.free(0)).toThrow('a freed row was allocated');
});

test('a table asks for a chunk before it needs it, and counts it', () => {
  const asked: number[] = [];
  const memory = {
    take: (byteCount: number) => {
      asked.push(byteCount);
      return new ArrayBuffer(byteCount);
    },
  };
  const rows = new RowChunks(4, memory);
  expect(asked.length).toBe(1);
  rows.allocate();
  expect(asked.length).toBe(2);
  for (let row = 1; row < 8_192; row += 1) rows.allocate();
  expect(asked.length).toBe(2);
  rows.allocate();
  expect(asked.length).toBe(3);
  expect(rows.byteCount).toBe(asked.reduce((sum, byteCount) => sum + byteCount, 0));
});

test('loading rows ahead takes any numbers and changes nothing', () => {
  const rows = new RowChunks(4);
  for (let row = 0; row < 10; row += 1) rows.words(rows.allocate())[rows.at(row)] = row;
  rows.load(Int32Array.of(3, -1, 9, 10, 2 ** 31 - 1, 0), 0, 6);
  expect(rows.rowCount).toBe(10);
  expect(rows.words(9)[rows.at(9)]).toBe(9);
});
