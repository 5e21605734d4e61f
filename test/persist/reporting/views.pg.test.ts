// What reporting shows of rows whose meaning is known: names and units, money by time, the journal,
// rounds, the trial balance, waiting, and what the roles may do. The rows are made by hand, so that
// each expected number can be added up by the reader.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Kind, kindName } from '../../../core/kinds.ts';
import { isRecordedCode, ResultCode, resultCodeName } from '../../../core/result-codes.ts';
import { STATUS_NAMES } from '../../../gateway/wire/option-reader.ts';
import { MIGRATIONS_FOLDER, migrate } from '../../../persist/postgres/migrate.ts';
import { hasDebianPostgres } from '../../support/postgres-server.ts';
import { ReportDatabase, type Row } from './report-database.ts';

const MIDNIGHT = Date.parse('2026-11-21T00:00:00Z');
const MINUTE_MS = 60_000;
/** By their numbers in ISO 4217. */
const currencies: Readonly<Record<string, number>> = { EUR: 978, BHD: 48 };
/** The time so many minutes from midnight. */
const at = (minutes: number): string => new Date(MIDNIGHT + minutes * MINUTE_MS).toISOString();

let database: ReportDatabase;
let databaseName = '';

beforeAll(async () => {
  database = await ReportDatabase.start();
  databaseName = await database.renew();
});

afterAll(() => database.remove());

beforeEach(async () => {
  await database.empty();
  await database.insert('operators', [
    { operator_id: 1, name: 'acme', policies: {}, changed_position: 1 },
    { operator_id: 2, name: 'other', policies: {}, changed_position: 1 },
  ]);
  await database.insert('providers', [{ provider_id: 1, name: 'studio' }]);
  await database.insert('games', [
    { game_id: 1, name: 'starburst' },
    { game_id: 2, name: 'dragon' },
  ]);
  await database.insert('operator_currencies', [
    { operator_id: 1, number: 0, currency_id: currencies.EUR },
    { operator_id: 1, number: 1, currency_id: currencies.BHD },
    { operator_id: 2, number: 0, currency_id: currencies.EUR },
  ]);
  await database.insert('account_identities', [
    identity(0, 'alice', 'EUR'),
    identity(1, 'bob', 'EUR'),
    identity(2, 'alice', 'BHD'),
  ]);
  await database.ask('select kassa.make_partitions($1)', [at(-60)]);
  await reportTo(100);
});

function identity(accountId: number, player: string, currency: string): Row {
  return {
    account_id: accountId,
    page: Math.floor(accountId / 64),
    operator_id: 1,
    currency_id: currencies[currency],
    player,
    status: 0,
    opened_at: at(-600),
    opened_position: accountId + 1,
    status_position: accountId + 1,
  };
}

/** Puts the reporter at a position, with a snapshot of it, whose number is a tenth of it. */
async function reportTo(position: number): Promise<void> {
  const snapshotId = position / 10;
  const time = { recorded_at: at(-30), written_at: at(-30) };
  await database.insert('snapshots', [
    { snapshot_id: snapshotId, position, tier: 0, record_count: 0, ...time },
  ]);
  await database.ask('delete from kassa.reporter_position');
  await database.insert('reporter_position', [
    {
      ...{
        only_row: true,
        folder_id: 'f',
        position,
        header_checksum: 0,
        time_ms: 0,
        sequences: [],
      },
      ...{ last_segment: 0, record_count: 0, content_bytes: 0, snapshot_id: snapshotId },
      ...{ journal_from: 0, ...time },
    },
  ]);
}

describe('words', () => {
  test('kinds, codes and statuses have the names of the protocol', async () => {
    for (const kind of Object.values(Kind)) {
      const [row] = await database.ask('select kassa.kind_name($1) as name', [kind]);
      expect(row.name).toBe(kindName(kind));
    }
    for (const code of Object.values(ResultCode).filter(isRecordedCode)) {
      const [row] = await database.ask('select kassa.code_name($1) as name', [code]);
      expect(row.name).toBe(resultCodeName(code));
    }
    for (const [status, name] of STATUS_NAMES.entries()) {
      const [row] = await database.ask('select kassa.status_name($1) as name', [status]);
      expect(row.name).toBe(name);
    }
  });

  test.each([
    ['12345', 2, '123.45'],
    ['-5', 2, '-0.05'],
    ['500', 0, '500'],
    ['1234', 3, '1.234'],
    ['1', 18, '0.000000000000000001'],
    ['99999999999999999999999999999999999999', 4, '9999999999999999999999999999999999.9999'],
  ])('%s minor units of exponent %i are %s', async (minor, exponent, major) => {
    const [row] = await database.ask('select kassa.major($1, $2::smallint) as major', [
      minor,
      exponent,
    ]);
    expect(row.major).toBe(major);
  });

  test.each([
    ['5468c3a4', 'Thä'],
    ['f09f9880', '😀'],
    ['', ''],
    ['41004200', 'A\\000B\\000'],
    ['41ff', 'A\\377'],
    ['eda080', '\\355\\240\\200'],
    ['c080', '\\300\\200'],
    ['f4908080', '\\364\\220\\200\\200'],
    ['c3', '\\303'],
  ])('metadata of the bytes %s reads as %s', async (bytes, text) => {
    const [row] = await database.ask(`select kassa.readable(decode($1, 'hex')) as text`, [bytes]);
    expect(row.text).toBe(text);
  });
});

describe('trial balance', () => {
  const system = { house_minor: 0, cashier_minor: 0, bonus_fund_minor: 0, adjustments_minor: 0 };

  async function bookDeposit(cashierMinor: number): Promise<void> {
    const place = { recorded_at: at(-30), snapshot_id: 10 };
    await database.insert('balance_changes', [
      {
        ...{ ...place, page: 0, slots: [0, 1, 2], cash_minor: [700, 200, 5000] },
        ...{ bonus_minor: [100, 0, 0], held_minor: [0, 25, 0], changed_position: [90, 91, 92] },
      },
    ]);
    const owner = { ...place, tier: 0, operator_id: 1, transit_minor: 0 };
    await database.insert('system_balances', [
      {
        ...{ ...owner, ...system, currency_id: currencies.EUR },
        ...{ cashier_minor: cashierMinor, bonus_fund_minor: -150, house_minor: 50 },
      },
      { ...owner, ...system, currency_id: currencies.BHD, cashier_minor: -5000 },
    ]);
  }

  test('is zero for each operator and currency whose books agree', async () => {
    await bookDeposit(-925);
    const rows = await database.ask('select * from kassa.trial_balance() order by currency');
    expect(rows).toEqual([
      {
        ...{ operator: 'acme', currency: 'BHD', players_cash: '5.000', players_bonus: '0.000' },
        ...{ players_held: '0.000', house: '0.000', cashier: '-5.000', bonus_fund: '0.000' },
        ...{ adjustments: '0.000', transit: '0.000', difference_minor: '0' },
        ...{ as_of_position: 100, as_of_time: new Date(at(-30)) },
      },
      {
        ...{ operator: 'acme', currency: 'EUR', players_cash: '9.00', players_bonus: '1.00' },
        ...{ players_held: '0.25', house: '0.50', cashier: '-9.25', bonus_fund: '-1.50' },
        ...{ adjustments: '0.00', transit: '0.00', difference_minor: '0' },
        ...{ as_of_position: 100, as_of_time: new Date(at(-30)) },
      },
    ]);
  });

  test('shows by how much an operator and currency is off, and where', async () => {
    await bookDeposit(-924);
    const rows = await database.ask(
      `select operator, currency, difference_minor from kassa.trial_balance()
        where difference_minor <> 0`,
    );
    expect(rows).toEqual([{ operator: 'acme', currency: 'EUR', difference_minor: '1' }]);
  });

  test('as of a position is that of the newest snapshot before it', async () => {
    await bookDeposit(-925);
    await reportTo(200);
    await database.insert('balance_changes', [
      {
        ...{ recorded_at: at(-29), snapshot_id: 20, page: 0, slots: [0], cash_minor: [800] },
        ...{ bonus_minor: [100], held_minor: [0], changed_position: [150] },
      },
    ]);
    const query = `select difference_minor, as_of_position from kassa.trial_balance($1)
      where currency = 'EUR'`;
    expect(await database.ask(query, [199])).toEqual([
      { difference_minor: '0', as_of_position: 100 },
    ]);
    expect(await database.ask(query, [200])).toEqual([
      { difference_minor: '100', as_of_position: 200 },
    ]);
    expect(await database.ask(query, [99])).toEqual([]);
  });
});

describe('turnover', () => {
  /** A row of turnover: minutes from midnight, kind, cash and bonus moved. */
  function moved(
    minutes: number,
    kind: Kind,
    [cash, bonus]: readonly [number, number],
    more: Row = {},
  ): Row {
    return {
      ...{ minute: at(minutes), operator_id: 1, provider_id: 1, game_id: 1 },
      ...{ currency_id: currencies.EUR, kind, of_win: false, accepted_count: 1, refused_count: 0 },
      ...{ cash_moved_minor: cash, bonus_moved_minor: bonus, held_moved_minor: 0 },
      ...more,
    };
  }

  beforeEach(async () => {
    await database.insert('turnover', [
      moved(-10, Kind.bet, [-1000, -500], { accepted_count: 3, refused_count: 2 }),
      moved(-10, Kind.win, [600, 300]),
      moved(-5, Kind.rollback, [200, 0]),
      moved(-5, Kind.rollback, [-60, -40], { of_win: true }),
      moved(-5, Kind.deposit, [9999, 0], { game_id: 0 }),
      // Rolled back after midnight: counts on the day of the rollback.
      moved(0, Kind.rollback, [300, 0]),
      moved(1, Kind.win, [50, 0], { game_id: 2 }),
      moved(1, Kind.bet, [-2000, 0], { currency_id: currencies.BHD, game_id: 2 }),
      moved(1, Kind.win, [5000, 0], { currency_id: currencies.BHD, game_id: 2 }),
    ]);
  });

  test('GGR is stakes less wins, rolled-back money out of both, on its own day', async () => {
    const rows = await database.ask(
      `select day::text, operator, currency, bets, rolled_back_bets, wins, rolled_back_wins, ggr,
        bet_count, win_count from kassa.ggr_daily order by day, currency`,
    );
    expect(rows).toEqual([
      {
        ...{ day: '2026-11-20', operator: 'acme', currency: 'EUR', bets: '15.00', ggr: '5.00' },
        ...{ rolled_back_bets: '2.00', wins: '9.00', rolled_back_wins: '1.00' },
        ...{ bet_count: 3, win_count: 1 },
      },
      {
        ...{ day: '2026-11-21', operator: 'acme', currency: 'BHD', bets: '2.000', ggr: '-3.000' },
        ...{ rolled_back_bets: '0.000', wins: '5.000', rolled_back_wins: '0.000' },
        ...{ bet_count: 1, win_count: 1 },
      },
      {
        ...{ day: '2026-11-21', operator: 'acme', currency: 'EUR', bets: '0.00', ggr: '-3.50' },
        ...{ rolled_back_bets: '3.00', wins: '0.50', rolled_back_wins: '0.00' },
        ...{ bet_count: 0, win_count: 1 },
      },
    ]);
  });

  test('a range of time holds its first minute and not its last', async () => {
    const query = `select ggr from kassa.ggr($1, $2) where currency = 'EUR'`;
    expect(await database.ask(query, [at(-10), at(-5)])).toEqual([{ ggr: '6.00' }]);
    expect(await database.ask(query, [at(-5), at(0)])).toEqual([{ ggr: '-1.00' }]);
    expect(await database.ask(query, [at(-5), at(1)])).toEqual([{ ggr: '-4.00' }]);
    expect(await database.ask(query, [at(-4), at(0)])).toEqual([]);
  });

  test('a range that begins within a minute is refused, not rounded', async () => {
    const query = 'select * from kassa.ggr($1, $2)';
    expect(await database.refusal(query, [at(-0.5), at(0)])).toBe('22023');
    expect(await database.refusal(query, [at(-1), at(0.5)])).toBe('22023');
  });

  test('a condition on the day is answered from that day', async () => {
    await database.ask(`set timezone = 'America/New_York'`);
    const rows = await database.ask(
      `select currency, ggr from kassa.ggr_daily where day = '2026-11-20'`,
    );
    expect(rows).toEqual([{ currency: 'EUR', ggr: '5.00' }]);
  });

  test('turnover by game counts accepted and refused bets', async () => {
    const rows = await database.ask(
      `select provider, game, bet_count, refused_bet_count, win_count, rollback_count, ggr
        from kassa.turnover_by_game where day = '2026-11-20'`,
    );
    expect(rows).toEqual([
      {
        ...{ provider: 'studio', game: 'starburst', bet_count: 3, refused_bet_count: 2 },
        ...{ win_count: 1, rollback_count: 2, ggr: '5.00' },
      },
    ]);
  });

  test('RTP is won by staked without what was rolled back, and null without stakes', async () => {
    const rows = await database.ask(
      `select game, currency, staked, won, rtp from kassa.rtp_by_game($1, $2)
        order by currency, game`,
      [at(-60), at(60)],
    );
    expect(rows).toEqual([
      { game: 'dragon', currency: 'BHD', staked: '2.000', won: '5.000', rtp: '2.500000' },
      { game: 'dragon', currency: 'EUR', staked: '0.00', won: '0.50', rtp: null },
      { game: 'starburst', currency: 'EUR', staked: '10.00', won: '8.00', rtp: '0.800000' },
    ]);
  });

  test('bonuses cost what was granted less what was forfeited', async () => {
    const none = { game_id: 0, provider_id: 0 };
    await database.insert('turnover', [
      moved(-20, Kind.grant, [0, 2000], none),
      moved(-20, Kind.forfeit, [0, -300], none),
      moved(-20, Kind.convert, [700, -700], none),
      moved(-20, Kind.adjust, [10, 5], none),
    ]);
    const rows = await database.ask(`select granted, forfeited, cost, converted, staked, won,
      adjusted from kassa.bonus_cost where day = '2026-11-20'`);
    expect(rows).toEqual([
      {
        ...{ granted: '20.00', forfeited: '3.00', cost: '17.00', converted: '7.00' },
        ...{ staked: '5.00', won: '2.60', adjusted: '0.05' },
      },
    ]);
  });
});

describe('waiting for the reporter', () => {
  test('a position that is reached returns at once, a later one when it is', async () => {
    expect(await database.ask('select kassa.wait_for(100)')).toEqual([{ wait_for: 100 }]);
    const [waiting] = [database.ask('select kassa.wait_for(110)')];
    for (const client of await database.connect(databaseName)) {
      await client.query('update kassa.reporter_position set position = 115');
      await client.end();
    }
    expect(await waiting).toEqual([{ wait_for: 115 }]);
  });

  test('a position that is not reached in time is an error of its own', async () => {
    const query = `select kassa.wait_for(101, '50 ms')`;
    expect(await database.refusal(query)).toBe('KA001');
  });

  test('a transaction that sees one moment only is refused, not kept waiting', async () => {
    await database.ask('begin isolation level repeatable read');
    expect(await database.refusal('select kassa.wait_for(1)')).toBe('25000');
    await database.ask('rollback');
  });

  test('the lag is counted from the log that the reporter saw last', async () => {
    const lag = `select position, log_position, blocks_behind, seconds_behind::float,
      rejected_row_count from kassa.reporter_lag`;
    const life = { only_row: true, seen_at: at(0), log_position: 130, log_recorded_at: at(-29) };
    await database.insert('reporter_sign_of_life', [life]);
    const common = { position: 100, rejected_row_count: 0 };
    expect(await database.ask(lag)).toEqual([
      { ...common, log_position: 130, blocks_behind: 30, seconds_behind: 60 },
    ]);
    await database.ask('update kassa.reporter_sign_of_life set log_position = 90');
    expect(await database.ask(lag)).toEqual([
      { ...common, log_position: 100, blocks_behind: 0, seconds_behind: 0 },
    ]);
  });
});

describe('roles', () => {
  const DENIED = '42501';

  test('the writer adds to history and can neither change nor remove it', async () => {
    await database.ask('set role kassa_writer');
    for (const table of ['transactions', 'balance_changes', 'balance_images', 'rejected_rows']) {
      expect(await database.refusal(`delete from kassa.${table}`)).toBe(DENIED);
      expect(await database.refusal(`truncate kassa.${table}`)).toBe(DENIED);
      expect(await database.refusal(`drop table kassa.${table}`)).toBe(DENIED);
    }
    const change = 'update kassa.transactions set cash_minor = 0';
    expect(await database.refusal(change)).toBe(DENIED);
    expect(
      await database.refusal(`${change.replace('transactions', 'transactions_2026_11_20')}`),
    ).toBe(DENIED);
    await database.ask('select kassa.make_partitions($1)', [at(3000)]);
    await database.insert('games', [{ game_id: 3, name: 'new' }]);
  });

  test('reporting reads every view and function and writes nothing', async () => {
    await database.ask('set role kassa_reporting');
    const views = await database.ask(
      `select table_name as name from information_schema.views where table_schema = 'kassa'`,
    );
    expect(views.length).toBeGreaterThanOrEqual(10);
    for (const { name } of views) await database.ask(`select * from kassa.${name} limit 1`);
    for (const call of ['balance_as_of(100)', 'balance_as_of(now())', 'trial_balance()']) {
      await database.ask(`select * from kassa.${call} limit 1`);
    }
    const range = `'2026-11-20T00:00:00Z', '2026-11-21T00:00:00Z'`;
    for (const name of ['ggr', 'turnover_by_game', 'rtp_by_game', 'bonus_cost']) {
      await database.ask(`select * from kassa.${name}(${range})`);
    }
    for (const name of ['player_statement', 'balance_history_of']) {
      await database.ask(`select * from kassa.${name}('acme', 'alice', ${range})`);
    }
    await database.ask('select kassa.wait_for(1)');
    for (const text of [
      `insert into kassa.games values (9, 'x')`,
      'update kassa.turnover set accepted_count = 0',
      'delete from kassa.snapshots',
      'select kassa.thin_history(now())',
      'select kassa.detach_journal(now())',
      'create table kassa.mine (one integer)',
    ]) {
      expect(await database.refusal(text)).toBe(DENIED);
    }
  });
});

describe('migrations', () => {
  test('a second run applies nothing, and a database of a newer program is refused', async () => {
    for (const client of await database.connect(databaseName)) {
      expect(await migrate(client, MIGRATIONS_FOLDER)).toEqual([]);
      await client.query(`insert into kassa.migrations (name, run_on) values ('9999_x', now())`);
      await expect(migrate(client, MIGRATIONS_FOLDER)).rejects.toMatchObject({
        name: 'MigrationError',
        code: 'newer',
        migration: '9999_x',
      });
      await client.end();
    }
  });

  test.skipIf(!hasDebianPostgres())('PostgreSQL 15 has answered everything as well', () => {
    expect(database.serverCount).toBe(2);
  });
});
