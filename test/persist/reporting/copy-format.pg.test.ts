// Rows go to Postgres and come back in the binary format of COPY: what was written is what Postgres
// has, by its own text, and what is read back.
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRows } from '../../../persist/reporting/copy-reader.ts';
import { copyRows } from '../../../persist/reporting/copy-rows.ts';
import { CopyWriter } from '../../../persist/reporting/copy-writer.ts';
import { hasDebianPostgres } from '../../support/postgres-server.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { ReportStage } from './report-stage.ts';

const ROWS = 2_000;
const COLUMNS = 11;
const LARGEST = Number.MAX_SAFE_INTEGER;
const WIDEST = 10n ** 37n;
const BIGINTS: readonly number[] = [0, 1, -1, 2 ** 32, -(2 ** 32), 2 ** 31, LARGEST, -LARGEST];
const TIMES_MS: readonly number[] = [0, 1, 946_684_799_999, 946_684_800_000, 4_102_444_799_999];

/** A row as the test remembers it. */
interface Row {
  readonly small: number;
  readonly whole: number;
  readonly big: number;
  readonly isTrue: boolean;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly timeMs: number;
  readonly wide: bigint;
  readonly smalls: number[];
  readonly bigs: number[];
  readonly json: string;
}

describe.each(['embedded', 'debian'] as const)('rows copied to the %s server', (kind) => {
  const isThere = kind === 'embedded' || hasDebianPostgres();
  let stage: ReportStage;
  let client: Client;
  let rows: Row[] = [];

  beforeAll(async () => {
    if (!isThere) return;
    stage = await ReportStage.start(kind);
    client = await stage.connect();
    await client.query(`
      create schema kassa;
      create table kassa.copied (small smallint, whole integer, big bigint, is_true boolean,
        text text, bytes bytea, at timestamptz, wide numeric(38, 0), smalls smallint[],
        bigs bigint[], json jsonb)`);
    const random = new SeededRandom(`rows copied to the ${kind} server`);
    rows = Array.from({ length: ROWS }, (_, place) => randomRow(random, place));
    const writer = new CopyWriter();
    const pieces: Uint8Array[] = [];
    for (const [place, row] of rows.entries()) {
      write(writer, row);
      if (place % 300 !== 299 && place !== ROWS - 1) continue;
      pieces.push(Uint8Array.from(writer.rows));
      writer.clear();
    }
    await client.query('begin');
    const placeOf = () => ({ position: 0, shard: 0, sequence: 0, timeMs: 0 });
    expect(await copyRows(client, { table: 'copied', placeOf }, () => pieces)).toBe(0);
    await client.query('commit');
  }, 60_000);

  afterAll(() => stage?.end());

  test.skipIf(!isThere)('are as Postgres shows them', async () => {
    const { rows: found } = await client.query({
      text: `
        select small, whole, big::text, is_true, text, encode(bytes, 'hex'),
          (extract(epoch from at) * 1000)::bigint::text, wide::text, smalls, bigs::text[],
          json::text
        from kassa.copied order by whole`,
      rowMode: 'array',
    });
    const expected = rows.map((row) => [
      ...[row.small, row.whole, String(row.big), row.isTrue, row.text],
      ...[Buffer.from(row.bytes).toString('hex'), String(row.timeMs), String(row.wide)],
      ...[row.smalls, row.bigs.map(String), row.json],
    ]);
    expect(found).toEqual(expected);
  });

  test.skipIf(!isThere)('are read back as they were written', async () => {
    const found: unknown[] = [];
    const array = new Float64Array(1_000);
    const query = 'select small, whole, big, text, smalls, bigs from kassa.copied order by whole';
    await readRows(client, query, (row) => {
      const numbers = [row.integer(), row.integer(), row.bigint()];
      const text = row.text();
      const [smalls, bigs] = [1, 2].map(() => {
        const count = row.numbers(array);
        return [...array.subarray(0, count)];
      });
      found.push([...numbers, text, smalls, bigs]);
    });
    const expected = rows.map((row) => {
      return [row.small, row.whole, row.big, row.text, row.smalls, row.bigs];
    });
    expect(found).toEqual(expected);
  });

  test.skipIf(!isThere)('nulls stay nulls, and are read as 0', async () => {
    await client.query('truncate kassa.copied');
    const writer = new CopyWriter();
    writer.beginRow(COLUMNS, 0);
    for (let column = 0; column < COLUMNS; column += 1) {
      if (column === 1) writer.int32OrNull(0);
      else writer.null();
    }
    await client.query('begin');
    const placeOf = () => ({ position: 0, shard: 0, sequence: 0, timeMs: 0 });
    await copyRows(client, { table: 'copied', placeOf }, () => [writer.rows]);
    await client.query('commit');
    const { rows: found } = await client.query('select * from kassa.copied');
    expect(found.map((row) => Object.values(row))).toEqual([new Array(COLUMNS).fill(null)]);
    const read: number[] = [];
    await readRows(client, 'select small, whole from kassa.copied', (row) => {
      read.push(row.integer(), row.integer());
    });
    expect(read).toEqual([0, 0]);
  });

  test.skipIf(!isThere)('an error of the query that is read is thrown', async () => {
    const reading = readRows(client, 'select 1 / 0', () => undefined);
    await expect(reading).rejects.toThrow('division by zero');
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

function write(writer: CopyWriter, row: Row): void {
  const text = Buffer.from(row.text);
  const arrayBytes = 48 + row.smalls.length * 6 + row.bigs.length * 12;
  writer.beginRow(COLUMNS, text.length + row.bytes.length + arrayBytes + row.json.length * 3 + 64);
  writer.int16(row.small);
  writer.int32(row.whole);
  writer.int64(row.big);
  writer.boolean(row.isTrue);
  writer.bytes(text, 0, text.length);
  writer.bytes(row.bytes, 0, row.bytes.length);
  writer.time(row.timeMs);
  writer.numeric(row.wide);
  writer.beginArray('smallint', row.smalls.length);
  for (const value of row.smalls) writer.int16(value);
  writer.beginArray('bigint', row.bigs.length);
  for (const value of row.bigs) writer.int64(value);
  writer.json(row.json);
}

/** The bounds first, then anything. */
function randomRow(random: SeededRandom, place: number): Row {
  const big = (): number =>
    random.below(4) === 0
      ? BIGINTS[random.below(BIGINTS.length)]
      : random.amountMinor() * (random.below(2) === 0 ? 1 : -1) + 0;
  const small = (): number => [-32_768, 32_767, (random.word() << 16) >> 16][random.below(3)];
  const wides = [WIDEST, -WIDEST, 9_999n, 10_000n, -10_000n, 0n, 10_000n ** 4n];
  const drawn = BigInt(big()) * 10n ** BigInt(random.below(21));
  return {
    small: small(),
    whole: place - 1_000,
    big: BIGINTS[place] ?? big(),
    isTrue: random.below(2) === 0,
    text: 'é😀\u0085"\\x'.slice(0, random.below(9)).replace(/[\ud800-\udbff]$/, ''),
    bytes: random.bytes(random.below(300)),
    timeMs: TIMES_MS[place] ?? random.amountMinor() % 4_102_444_800_000,
    wide: wides[place] ?? drawn,
    smalls: Array.from({ length: random.below(65) }, small),
    bigs: Array.from({ length: random.below(65) }, big),
    json: place % 2 === 0 ? '{"reason": "é\\"😀"}' : '[1, null, ""]',
  };
}
