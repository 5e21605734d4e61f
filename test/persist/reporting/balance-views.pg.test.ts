// Balances as of any snapshot: Postgres lays changes over images, a model keeps them plainly, and
// both agree at each snapshot, before and after history was thinned out. And the thinning itself.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SeededRandom } from '../../support/seeded-random.ts';
import { type ModelSnapshot, OWNER, writeHistory } from './balance-model.ts';
import { ReportDatabase, type Row } from './report-database.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const START = Date.parse('2026-11-20T00:00:00Z');

let database: ReportDatabase;
let databaseName = '';

beforeAll(async () => {
  database = await ReportDatabase.start();
});

afterAll(() => database.remove());

beforeEach(async () => {
  databaseName = await database.renew();
  await database.insert('operators', [
    { operator_id: 1, name: 'acme', policies: {}, changed_position: 1 },
  ]);
  await database.insert('operator_currencies', [{ ...OWNER, number: 0 }]);
});

/** What the model says, as rows of balance_as_of. */
function expected(snapshot: ModelSnapshot): Row[] {
  return [...snapshot.balances].map(([account_id, { cash, bonus, held }]) => ({
    ...{ account_id, cash_minor: cash, bonus_minor: bonus, held_minor: held },
    ...{ as_of_position: snapshot.position, as_of_time: new Date(snapshot.timeMs) },
  }));
}

const COLUMNS = `account_id, cash_minor, bonus_minor, held_minor, as_of_position, as_of_time`;

async function compareAll(snapshots: readonly ModelSnapshot[]): Promise<void> {
  for (const [number, snapshot] of snapshots.entries()) {
    const rows = expected(snapshot);
    const byPosition = `select ${COLUMNS} from kassa.balance_as_of($1::bigint) order by 1`;
    expect(await database.ask(byPosition, [snapshot.position])).toEqual(rows);
    const next = snapshots[number + 1];
    if (next === undefined || next.timeMs === snapshot.timeMs) continue;
    expect(await database.ask(byPosition, [next.position - 1])).toEqual(rows);
    const byTime = `select ${COLUMNS} from kassa.balance_as_of($1::timestamptz) order by 1`;
    expect(await database.ask(byTime, [new Date(next.timeMs - 1)])).toEqual(rows);
  }
}

async function keptOf(snapshots: readonly ModelSnapshot[]): Promise<ModelSnapshot[]> {
  const rows = await database.ask('select snapshot_id from kassa.snapshots');
  const kept = new Set(rows.map(({ snapshot_id }) => snapshot_id));
  return snapshots.filter(({ snapshotId }) => kept.has(snapshotId));
}

describe('balances as of a snapshot', () => {
  test('are what they were, across images, gaps and thinning', { timeout: 120_000 }, async () => {
    const random = new SeededRandom('balances as of a snapshot');
    // Bursts of some seconds, then nothing for minutes, hours or a day; the first at an hour's end.
    const timesMs = [START + HOUR_MS - 2_000];
    while (timesMs.length < 45) {
      const gaps = [1_000, 1_000, 1_000, 1_000, 20_000, 61_000, HOUR_MS, 20 * HOUR_MS];
      timesMs.push((timesMs.at(-1) ?? 0) + gaps[random.below(gaps.length)]);
    }
    const snapshots = await writeHistory(database, timesMs, random);
    expect(await database.ask('select * from kassa.balance_as_of(9)')).toEqual([]);
    await compareAll(snapshots);
    for (const share of [0.5, 1]) {
      const now = timesMs[Math.floor((timesMs.length - 1) * share)];
      await database.ask('select kassa.thin_history($1)', [new Date(now)]);
      const kept = await keptOf(snapshots);
      expect(kept.length).toBeLessThan(snapshots.length);
      await compareAll(kept);
    }
  });

  test('the history of a player has a row for each kept snapshot that moved it', async () => {
    const random = new SeededRandom('history of a player');
    const timesMs = Array.from({ length: 60 }, (_, number) => START + number * 7_000);
    const snapshots = await writeHistory(database, timesMs, random);
    for (const account of snapshots[0].balances.keys()) {
      const rows = await database.ask(
        `select position, cash_minor, bonus_minor, held_minor from
          kassa.balance_history_of('acme', $1, $2, $3)`,
        [`player-${account}`, new Date(START), new Date(START + HOUR_MS)],
      );
      const moved = snapshots.filter(({ balances }, number) => {
        const before = snapshots[number - 1]?.balances.get(account)?.changed ?? 0;
        return (balances.get(account)?.changed ?? 0) > before;
      });
      expect(rows).toEqual(
        moved.map(({ position, balances }) => {
          const { cash, bonus, held } = balances.get(account) ?? { cash: 0, bonus: 0, held: 0 };
          return { position, cash_minor: cash, bonus_minor: bonus, held_minor: held };
        }),
      );
    }
    const whole = await database.ask('select count(*)::int as count from kassa.balance_history');
    const halves = await database.ask(
      `select sum(rows)::int as count from (values ($1::timestamptz, $2::timestamptz), ($2, $3))
        half (start, until) cross join lateral (select count(*) as rows from kassa.balance_history
        where recorded_at >= start and recorded_at < until) counted`,
      [new Date(START), new Date(timesMs[30]), new Date(START + HOUR_MS)],
    );
    expect(halves).toEqual(whole);
  });
});

describe('thinning', () => {
  test('partitions are made ahead, once, and without a session in UTC', async () => {
    await database.ask(`set timezone = 'Australia/Lord_Howe'`);
    const time = '2026-12-31T23:30:00Z';
    await database.ask('select kassa.make_partitions($1)', [time]);
    await database.ask('select kassa.make_partitions($1)', [time]);
    const rows = await database.ask(
      `select partition from kassa.partitions
        where parent in ('transactions', 'balance_changes', 'balance_images_hour') order by 1`,
    );
    expect(rows.map(({ partition }) => partition)).toEqual([
      'balance_changes_2026_12_31_23',
      'balance_changes_2027_01_01_00',
      'balance_changes_2027_01_01_01',
      'balance_images_hour_2026_12',
      'balance_images_hour_2027_01',
      'transactions_2026_12_31',
      'transactions_2027_01_01',
      'transactions_2027_01_02',
    ]);
  });

  test('keeps each snapshot for an hour, a minute’s for a day, an hour’s for 90 days', async () => {
    const ages: readonly [string, number, number][] = [
      ['0 within the hour', 0, 0.9 * HOUR_MS],
      ['0 after two hours', 0, 2.1 * HOUR_MS],
      ['1 within the day', 1, 0.9 * DAY_MS],
      ['1 after two days', 1, 2.1 * DAY_MS],
      ['2 within 90 days', 2, 89 * DAY_MS],
      ['2 after 122 days', 2, 122 * DAY_MS],
      ['3 after years', 3, 1_000 * DAY_MS],
    ];
    const now = START + 400 * DAY_MS;
    for (const [number, [, tier, ageMs]] of ages.entries()) {
      await database.ask('select kassa.make_partitions($1)', [new Date(now - ageMs)]);
      await database.insert('snapshots', [
        {
          ...{ snapshot_id: number, position: number, recorded_at: new Date(now - ageMs), tier },
          ...{ record_count: 0, written_at: new Date(now - ageMs) },
        },
      ]);
    }
    await database.ask('select kassa.thin_history($1)', [new Date(now)]);
    const rows = await database.ask('select snapshot_id from kassa.snapshots order by 1');
    expect(rows.map(({ snapshot_id }) => ages[Number(snapshot_id)][0])).toEqual([
      '0 within the hour',
      '1 within the day',
      '2 within 90 days',
      '3 after years',
    ]);
  });

  test('a partition that a reader holds stays, with its snapshots, for the next call', async () => {
    await database.ask('select kassa.make_partitions($1)', [new Date(START)]);
    await database.insert('snapshots', [
      {
        ...{ snapshot_id: 1, position: 1, recorded_at: new Date(START), tier: 0 },
        ...{ record_count: 0, written_at: new Date(START) },
      },
    ]);
    const readers = await database.connect(databaseName);
    for (const reader of readers) {
      await reader.query('begin');
      await reader.query('select * from kassa.balance_changes');
    }
    const later = [new Date(START + 3 * HOUR_MS)];
    const left = `select count(*)::int as count from kassa.partitions
      where parent = 'balance_changes' and until_at <= $1`;
    await database.ask('select kassa.thin_history($1)', later);
    expect(await database.ask(left, later)).not.toEqual([{ count: 0 }]);
    expect(await database.ask('select snapshot_id from kassa.snapshots')).toHaveLength(1);
    for (const reader of readers) await reader.end();
    await database.ask('select kassa.thin_history($1)', [new Date(START + 4 * HOUR_MS)]);
    expect(await database.ask(left, later)).toEqual([{ count: 0 }]);
    expect(await database.ask('select snapshot_id from kassa.snapshots')).toHaveLength(0);
  });

  test('days of the journal are detached whole and stay as tables', async () => {
    await database.ask('select kassa.make_partitions($1)', [new Date(START)]);
    const detach = 'select detach_journal as name from kassa.detach_journal($1)';
    expect(await database.ask(detach, [new Date(START + DAY_MS - 1)])).toEqual([]);
    expect(await database.ask(detach, [new Date(START + DAY_MS)])).toEqual([
      { name: 'transactions_2026_11_20' },
    ]);
    expect(await database.ask(detach, [new Date(START + DAY_MS)])).toEqual([]);
    expect(await database.ask('select * from kassa.transactions_2026_11_20')).toEqual([]);
    await database.ask('set role kassa_reporting');
    expect(await database.ask('select * from kassa.transactions_2026_11_20')).toEqual([]);
  });
});
