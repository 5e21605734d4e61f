// Whether the comparison of Postgres with the log finds nothing where nothing is wrong, and each
// thing that can be wrong: one value at a time is changed behind the reporter's back.
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ReconcileError,
  type Reconciliation,
  reconcile,
} from '../../../persist/reconciliation/reconcile.ts';
import { NothingReportedError } from '../../../persist/reporting/read-position.ts';
import { makeTemporaryFolder, removeFolder, TestLog } from '../../persist/test-log.ts';
import { PostgresServer } from '../../support/postgres-server.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { makePlayedLog, type ReportedLog, reportLog } from './reported-log.ts';

let server: PostgresServer;
let client: Client;
let log: ReportedLog;

beforeAll(async () => {
  server = await PostgresServer.start('embedded');
  log = makePlayedLog(new SeededRandom('reports agree with the log'));
  await reportLog(log.folder, { connectionString: server.url });
  client = new Client({ connectionString: server.url });
  await client.connect();
}, 120_000);

afterAll(async () => {
  await client?.end();
  await server?.remove();
  if (log !== undefined) removeFolder(log.folder);
});

function compare(): Promise<Reconciliation> {
  return reconcile({ client, dataFolder: log.folder, keptPerSortMax: 20 });
}

/** Runs a change, compares, and takes the change back. */
async function compareAfter(change: string): Promise<Reconciliation> {
  await client.query('create schema if not exists kept');
  const tables = ['balance_changes', 'account_identities', 'turnover', 'transactions'].concat([
    ...['system_balances', 'reporter_position', 'operator_currencies', 'operators', 'partitions'],
  ]);
  for (const table of tables) {
    await client.query(`create table kept.${table} as table kassa.${table}`);
  }
  try {
    const { rowCount } = await client.query(change);
    expect(rowCount, 'the change changes something').toBeGreaterThan(0);
    return await compare();
  } finally {
    for (const table of tables) {
      await client.query(`delete from kassa.${table}`);
      await client.query(`insert into kassa.${table} select * from kept.${table}`);
    }
    await client.query('drop schema kept cascade');
  }
}

describe('a comparison of the reports with the log', () => {
  test('finds nothing where nothing is wrong', async () => {
    const result = await compare();
    expect(result.differences).toEqual([]);
    expect(result.differenceCount).toBe(0);
    expect(result.recordCount).toBe(log.recordCount);
    expect(result.accountCount).toBeGreaterThan(100);
    expect(result.journalFrom).toBe(0);
    expect(result.notes).toEqual([]);
  });

  test('is made of a log that has every kind that counts, over a midnight', async () => {
    const { rows } = await client.query<{ kind: number }>(
      'select distinct kind from kassa.turnover order by kind',
    );
    expect(rows.map(({ kind }) => kind)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 33]);
    const marks = await client.query(
      `select bool_or(flags & 8 <> 0) as noop, bool_or(flags & 128 <> 0) as received,
         bool_or(kind = 32) as aged, count(distinct recorded_at::date) > 1 as days
       from kassa.transactions`,
    );
    expect(marks.rows).toEqual([{ noop: true, received: true, aged: true, days: true }]);
  });

  test('tells how far it is, to the end of records and of accounts', async () => {
    const seen = new Map<string, number>();
    const onProgress = ({ step, doneCount, totalCount }: Record<string, unknown>): void => {
      seen.set(String(step), Number(doneCount) / Number(totalCount));
    };
    await reconcile({
      ...{ client, dataFolder: log.folder, keptPerSortMax: 20 },
      onProgress: (progress) => onProgress({ ...progress }),
    });
    expect(Object.fromEntries(seen)).toEqual({ records: 1, accounts: 1, sums: 1 });
  });

  test('stops when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const comparing = reconcile({
      ...{ client, dataFolder: log.folder, keptPerSortMax: 20, signal },
    });
    await expect(comparing).rejects.toThrow('enough');
  });

  const newest = '(select max(snapshot_id) from kassa.balance_changes)';
  test.each<[string, string, object]>([
    [
      'a balance',
      `update kassa.balance_changes set cash_minor[1] = cash_minor[1] + 1
       where snapshot_id = ${newest}`,
      { sort: 'balance', field: 'cash_minor' },
    ],
    [
      'a status',
      'update kassa.account_identities set status = 2 where account_id = 1',
      { subject: 'account 1', field: 'status', log: 'active', postgres: 'frozen' },
    ],
    [
      'a player',
      `update kassa.account_identities set player = 'nobody' where account_id = 7`,
      { subject: 'account 7', field: 'player', postgres: 'nobody' },
    ],
    [
      'an account that is missing',
      'delete from kassa.account_identities where account_id = 9',
      { sort: 'account', subject: 'account 9', postgres: 'none' },
    ],
    [
      'an account that the log has not',
      `insert into kassa.account_identities select 100000, 1562, operator_id, currency_id, 'ghost',
         status, opened_at, opened_position, status_position
       from kassa.account_identities where account_id = 1`,
      { sort: 'account', subject: 'account 100000', log: 'none', postgres: 'player ghost' },
    ],
    [
      'a sum of the turnover',
      `update kassa.turnover set cash_moved_minor = cash_moved_minor - 1
       where minute = (select min(minute) from kassa.turnover where kind = 3) and kind = 3`,
      { sort: 'turnover', field: 'cash_moved_minor' },
    ],
    [
      'a count of the turnover',
      `update kassa.turnover set refused_count = refused_count + 1 where kind = 4`,
      { sort: 'turnover', field: 'refused_count' },
    ],
    [
      'a minute of the turnover on another day',
      `update kassa.turnover set minute = minute + interval '1 day' where kind = 3`,
      { sort: 'turnover', field: 'accepted_count' },
    ],
    [
      'a system account',
      `update kassa.system_balances set house_minor = house_minor + 5`,
      { sort: 'systemBalance', field: 'house_minor' },
    ],
    [
      'a sum that is not zero',
      `update kassa.system_balances set house_minor = house_minor + 5`,
      { sort: 'zeroSum', log: '0', postgres: '5' },
    ],
    [
      'a row that the journal lacks, by its number',
      'delete from kassa.transactions where sequence = 1000',
      { sort: 'journal', field: 'sequence', log: '1000', postgres: 'none' },
    ],
    [
      'rows that the journal lacks at its end',
      `delete from kassa.transactions
       where sequence > (select max(sequence) - 3 from kassa.transactions)`,
      { sort: 'journal', field: 'sequence', postgres: 'none' },
    ],
    [
      'an amount in the journal',
      `update kassa.transactions set bonus_moved_minor = bonus_moved_minor + 1
       where sequence = 1000`,
      { sort: 'journal', field: 'bonus_moved_minor' },
    ],
    [
      'a code in the journal',
      `update kassa.transactions set code = 10
       where sequence = (select max(sequence) from kassa.transactions where code = 0)`,
      { sort: 'journal', field: 'refused_rows' },
    ],
    [
      'the count of records',
      'update kassa.reporter_position set record_count = record_count + 1',
      { sort: 'position', field: 'record_count' },
    ],
    [
      "an operator's currency",
      'delete from kassa.operator_currencies where number = 1',
      { sort: 'directory', subject: 'operator op' },
    ],
  ])('finds %s', async (_what, change, difference) => {
    const result = await compareAfter(change);
    expect(result.differences).toContainEqual(expect.objectContaining(difference));
    expect(result.differenceCount).toBeGreaterThanOrEqual(result.differences.length);
  });

  test('counts all and keeps the first of each sort', async () => {
    const result = await compareAfter('delete from kassa.account_identities');
    expect(result.differenceCounts.account).toBe(result.accountCount);
    expect(result.differences.filter(({ sort }) => sort === 'account')).toHaveLength(20);
  });

  test('leaves out days that were taken out of the journal, and says so', async () => {
    const result = await compareAfter(
      `with gone as (delete from kassa.transactions returning 1)
       update kassa.partitions set detached_at = now()
       where parent = 'transactions' and (select count(*) from gone) > 0`,
    );
    expect(result.differences).toEqual([]);
    expect(result.notes.join()).toMatch(/Days taken out of the journal were left out: \d/);
  });

  test('says when the journal is turned off', async () => {
    const result = await compareAfter(
      `with gone as (delete from kassa.transactions returning 1)
       update kassa.reporter_position set journal_from = null
       where (select count(*) from gone) > 0`,
    );
    expect(result.differences).toEqual([]);
    expect(result.notes).toEqual(['The journal is turned off and was not compared.']);
  });

  test('compares a journal that was turned on later from there', async () => {
    const result = await compareAfter(
      `with gone as (delete from kassa.transactions where position <= 6 returning 1)
       update kassa.reporter_position set journal_from = 6 where (select count(*) from gone) > 0`,
    );
    expect(result.differences).toEqual([]);
    expect(result.notes).toEqual(['The journal begins behind position 6: compared from there.']);
  });

  test('agrees over months too, whose fine history was thinned out', async () => {
    const random = new SeededRandom('months of reports agree with the log');
    const months = makePlayedLog(random, 5 * 86_400_000);
    await client.query('create database months');
    const connection = { connectionString: server.url.replace(/kassa$/, 'months') };
    await reportLog(months.folder, connection);
    const own = new Client(connection);
    await own.connect();
    const { rows } = await own.query('select min(tier) as tier, count(*) from kassa.snapshots');
    const result = await reconcile({
      ...{ client: own, dataFolder: months.folder, keptPerSortMax: 20 },
    });
    await own.end();
    removeFolder(months.folder);
    expect(result.differences).toEqual([]);
    expect(Number(rows[0].count)).toBeGreaterThan(20);
  }, 60_000);

  test('refuses the reports of another data folder', async () => {
    const other = makeTemporaryFolder();
    const empty = new TestLog({ folder: other });
    empty.close();
    const comparing = reconcile({ client, dataFolder: other, keptPerSortMax: 1 });
    await expect(comparing).rejects.toThrow(ReconcileError);
    removeFolder(other);
  });

  test('says that there is nothing yet, without a schema', async () => {
    await client.query('create database nothing');
    const nothing = new Client({ connectionString: server.url.replace(/kassa$/, 'nothing') });
    await nothing.connect();
    const comparing = reconcile({ client: nothing, dataFolder: log.folder, keptPerSortMax: 1 });
    await expect(comparing).rejects.toThrow(NothingReportedError);
    await nothing.end();
  });

  test('refuses a log that ends before the position of Postgres', async () => {
    const position = await client.query('select position from kassa.reporter_position');
    const { position: before } = position.rows[0];
    await client.query('update kassa.reporter_position set position = position + 1');
    await expect(compare()).rejects.toThrow(/the log ends before Postgres' position/);
    await client.query('update kassa.reporter_position set position = $1', [before]);
  });
});
