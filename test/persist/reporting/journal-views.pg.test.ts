// The journal's views: a player's statement in order with transfers, rounds with and without names,
// and the rounds that are open. Rows are made by hand, as the reporter writes them.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Kind } from '../../../core/kinds.ts';
import { ResultCode } from '../../../core/result-codes.ts';
import { JournalFlag } from '../../../persist/reporting/journal-row.ts';
import { ReportDatabase, type Row } from './report-database.ts';

/** EUR and BHD by their numbers in ISO 4217, by account. */
const currencyIds = [978, 978, 48];
const ALICE = 0;
const BOB = 1;
const ALICE_BHD = 2;
const START = Date.parse('2026-11-20T23:50:00Z');

let database: ReportDatabase;
let databaseName = '';
let sequence = 0;

beforeAll(async () => {
  database = await ReportDatabase.start();
  databaseName = await database.renew();
});

afterAll(() => database.remove());

beforeEach(async () => {
  sequence = 0;
  await database.empty();
  await database.insert('operators', [
    { operator_id: 1, name: 'acme', policies: {}, changed_position: 1 },
  ]);
  await database.insert('providers', [{ provider_id: 1, name: 'studio' }]);
  await database.insert('games', [{ game_id: 1, name: 'starburst' }]);
  await database.insert(
    'account_identities',
    ['alice', 'bob', 'alice'].map((player, accountId) => ({
      ...{ account_id: accountId, page: 0, operator_id: 1, currency_id: currencyIds[accountId] },
      ...{ player, status: 0, opened_at: new Date(START) },
      ...{ opened_position: 1, status_position: 1 },
    })),
  );
  await database.ask('select kassa.make_partitions($1)', [new Date(START)]);
  await database.insert('reporter_position', [
    {
      ...{ only_row: true, folder_id: 'f', position: 999, header_checksum: 0, time_ms: 0 },
      ...{ sequences: [], last_segment: 0, record_count: 0, content_bytes: 0, snapshot_id: 99 },
      ...{ journal_from: 0, recorded_at: new Date(START), written_at: new Date(START) },
    },
  ]);
});

/** The next record, a minute after the one before. */
function record(accountId: number, kind: Kind, cashMoved: number, more: Row = {}): Row {
  sequence += 1;
  const play = kind === Kind.bet || kind === Kind.win || kind === Kind.rollback;
  return {
    ...{ recorded_at: new Date(START + sequence * 60_000), position: sequence * 10, sequence },
    ...{ shard: 0, kind, code: ResultCode.ok, flags: 0, account_id: accountId, operator_id: 1 },
    ...{ currency_id: currencyIds[accountId], provider_id: 1, game_id: play ? 1 : null },
    ...{ amount_minor: Math.abs(cashMoved), cash_moved_minor: cashMoved, bonus_moved_minor: 0 },
    ...{ held_moved_minor: 0, cash_minor: 1000 + cashMoved, bonus_minor: 0, held_minor: 0 },
    ...{ transaction_id: `t${sequence}`, round: null, reference: null, metadata: null },
    ...{ details: null, ...more },
  };
}

describe('player statement', () => {
  test('has all currencies and received transfers in the order of decisions', async () => {
    const rows = [
      record(ALICE, Kind.deposit, 1000),
      record(BOB, Kind.deposit, 500),
      record(ALICE_BHD, Kind.deposit, 7000),
      record(ALICE, Kind.bet, 0, { code: ResultCode.insufficientFunds, amount_minor: 99_999 }),
      record(BOB, Kind.transfer, -300, { details: { to: 'alice' } }),
    ];
    const received = {
      ...rows[4],
      ...{ account_id: ALICE, flags: JournalFlag.received, cash_moved_minor: 300 },
      ...{ cash_minor: 1300, details: { fromAccountId: BOB } },
    };
    // As within a snapshot, rows lie in the order of their accounts.
    await database.insert('transactions', [rows[0], rows[3], received, rows[1], rows[4], rows[2]]);
    const statement = `select kind, code, currency, cash_moved, cash, counterparty, received
      from kassa.player_statement('acme', $1, '2026-11-20', '2026-11-22')`;
    const own = { counterparty: null, received: false };
    expect(await database.ask(statement, ['alice'])).toEqual([
      { kind: 'deposit', code: 'ok', currency: 'EUR', cash_moved: '10.00', cash: '20.00', ...own },
      { kind: 'deposit', code: 'ok', currency: 'BHD', cash_moved: '7.000', cash: '8.000', ...own },
      {
        ...{ kind: 'bet', code: 'insufficient_funds', currency: 'EUR', cash_moved: '0.00' },
        ...{ cash: '10.00', ...own },
      },
      {
        ...{ kind: 'transfer', code: 'ok', currency: 'EUR', cash_moved: '3.00', cash: '13.00' },
        ...{ counterparty: 'bob', received: true },
      },
    ]);
    expect((await database.ask(statement, ['bob']))[1]).toMatchObject({
      ...{ cash_moved: '-3.00', counterparty: 'alice', received: false },
    });
    expect(await database.ask(statement, ['nobody'])).toEqual([]);
  });

  test('holds records from its first moment to before its last', async () => {
    await database.insert('transactions', [
      record(ALICE, Kind.deposit, 1),
      record(ALICE, Kind.deposit, 2),
      record(ALICE, Kind.deposit, 3),
    ]);
    const rows = await database.ask(
      `select transaction_id from kassa.player_statement('acme', 'alice', $1, $2)`,
      [new Date(START + 60_000), new Date(START + 180_000)],
    );
    expect(rows).toEqual([{ transaction_id: 't1' }, { transaction_id: 't2' }]);
  });

  test('reads only the days that it is asked for', async () => {
    for (const client of await database.connect(databaseName)) {
      const { rows } = await client.query<Row>(`explain (costs off) select * from
        kassa.player_statement('acme', 'alice', '2026-11-20Z', '2026-11-21Z')`);
      const plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n');
      expect(plan).toContain('transactions_2026_11_20');
      expect(plan).not.toContain('transactions_2026_11_21');
      await client.end();
    }
  });
});

const ROUND = `select round, opened_by, game, bets, stakes, wins, won, rolled_back_bets,
  rolled_back_wins, net, closed, closed_by from kassa.rounds
  where operator = 'acme' and player = 'alice' order by opened_at`;

/** A round of starburst with one bet and nothing else. */
const PLAIN = {
  ...{ game: 'starburst', bets: 1, stakes: '5.00', wins: 0, won: '0.00' },
  ...{ rolled_back_bets: '0.00', rolled_back_wins: '0.00', net: '-5.00' },
  ...{ closed: false, closed_by: null },
};

describe('rounds', () => {
  test('a round with a name has all bets, wins and rollbacks that are in it', async () => {
    const round = { round: 'r1' };
    await database.insert('transactions', [
      record(ALICE, Kind.bet, -500, round),
      record(ALICE, Kind.bet, -200, round),
      record(ALICE, Kind.bet, 0, { ...round, code: ResultCode.insufficientFunds }),
      record(ALICE, Kind.bet, 0, { ...round, flags: JournalFlag.noop, amount_minor: 300 }),
      record(BOB, Kind.bet, -900, round),
      record(ALICE, Kind.rollback, 200, { ...round, reference: 't2' }),
      record(ALICE, Kind.win, 800, round),
      record(ALICE, Kind.win, 100, { ...round, flags: JournalFlag.roundEnd }),
      record(ALICE, Kind.rollback, -100, {
        ...{ ...round, reference: 't8', flags: JournalFlag.ofWin },
      }),
    ]);
    expect(await database.ask(ROUND)).toEqual([
      {
        ...{ round: 'r1', opened_by: 't1', game: 'starburst', bets: 2, stakes: '7.00', wins: 2 },
        ...{ won: '9.00', rolled_back_bets: '2.00', rolled_back_wins: '1.00', net: '3.00' },
        ...{ closed: true, closed_by: 'roundEnd' },
      },
    ]);
  });

  test('a bet without a round is alone in one, with the wins that refer to it', async () => {
    const joined = { reference: 't1', flags: JournalFlag.joined };
    await database.insert('transactions', [
      record(ALICE, Kind.bet, -500),
      record(ALICE, Kind.bet, -500),
      record(ALICE, Kind.win, 700, joined),
      record(ALICE, Kind.win, 50, { flags: JournalFlag.stakeless }),
      record(ALICE, Kind.rollback, -700, { reference: 't3', flags: JournalFlag.ofWin }),
      record(ALICE, Kind.rollback, 500, { reference: 't1' }),
      record(ALICE, Kind.rollback, -50, { reference: 't4', flags: JournalFlag.ofWin }),
    ]);
    expect(await database.ask(ROUND)).toEqual([
      {
        ...{ ...PLAIN, round: null, opened_by: 't1', wins: 1, won: '7.00' },
        ...{ rolled_back_bets: '5.00', rolled_back_wins: '7.00', net: '0.00' },
      },
      { ...PLAIN, round: null, opened_by: 't2' },
      {
        ...{ ...PLAIN, round: null, opened_by: 't4', bets: 0, stakes: '0.00', wins: 1 },
        ...{ won: '0.50', rolled_back_wins: '0.50', net: '0.00' },
      },
    ]);
  });

  test('a round that was closed by age says so, with a name and without', async () => {
    await database.insert('transactions', [
      record(ALICE, Kind.bet, -500, { round: 'r1' }),
      record(ALICE, Kind.bet, -500),
      record(ALICE, Kind.win, 0, { flags: JournalFlag.stakeless }),
      record(ALICE, Kind.roundAged, 0, { transaction_id: null, round: 'r1' }),
      record(ALICE, Kind.roundAged, 0, { transaction_id: null, reference: 't2' }),
      record(ALICE, Kind.roundAged, 0, {
        ...{ transaction_id: null, reference: 't3', flags: JournalFlag.ofWin },
      }),
    ]);
    const aged = { ...PLAIN, closed: true, closed_by: 'age' };
    expect(await database.ask(ROUND)).toEqual([
      { ...aged, round: 'r1', opened_by: 't1' },
      { ...aged, round: null, opened_by: 't2' },
      { ...aged, round: null, opened_by: 't3', bets: 0, stakes: '0.00', wins: 1, net: '0.00' },
    ]);
  });

  test('a rollback of a rejected bet makes no round', async () => {
    await database.insert('transactions', [
      record(ALICE, Kind.bet, 0, { round: 'r1', code: ResultCode.limitReached }),
      record(ALICE, Kind.rollback, 0, { round: 'r1', reference: 't1' }),
    ]);
    expect(await database.ask(ROUND)).toEqual([]);
  });
});

describe('open rounds', () => {
  test('show what is staked and won in them and not rolled back', async () => {
    await database.insert('transactions', [
      record(ALICE, Kind.bet, -111, { round: 'r1', flags: JournalFlag.roundEnd }),
      record(ALICE, Kind.bet, -500, { round: 'r2' }),
      record(ALICE, Kind.bet, -300),
      record(ALICE, Kind.win, 100, { round: 'r2' }),
      record(ALICE, Kind.bet, -200, { round: 'r2' }),
      record(ALICE, Kind.rollback, 200, { round: 'r2', reference: 't5' }),
      record(ALICE, Kind.win, 40, { reference: 't3', flags: JournalFlag.joined }),
    ]);
    const opened = (openedSequence: number, roundKey: string): Row => ({
      ...{ shard: 0, opened_sequence: openedSequence, opened_position: openedSequence * 10 },
      ...{ opened_at: new Date(START + openedSequence * 60_000), account_id: ALICE },
      ...{ provider_id: 1, round_key: roundKey, game_id: 1 },
    });
    await database.insert('unfinished_rounds', [opened(2, 'rr2'), opened(3, 'bt3')]);
    const rows = await database.ask(
      `select player, provider, game, round, opened_by, bets, stakes, won, as_of_position,
        age > '0 seconds' as is_older from kassa.open_rounds order by opened_at`,
    );
    const common = { player: 'alice', provider: 'studio', game: 'starburst', as_of_position: 999 };
    expect(rows.map(({ is_older, ...rest }) => rest)).toEqual([
      { ...common, round: 'r2', opened_by: 't2', bets: 2, stakes: '5.00', won: '1.00' },
      { ...common, round: null, opened_by: 't3', bets: 1, stakes: '3.00', won: '0.40' },
    ]);
  });
});

test('metadata of any bytes is shown, and flags and outcomes in words', async () => {
  const { insufficientFunds } = ResultCode;
  await database.insert('transactions', [
    record(ALICE, Kind.bet, 0, { code: insufficientFunds, metadata: '\\x00ff', flags: 1 }),
    record(ALICE, Kind.adjust, 5, { metadata: '\\xc3a4', flags: JournalFlag.bonusBucket }),
    { ...record(ALICE, Kind.setOperator, 0), account_id: null, currency_id: null },
  ]);
  const rows = await database.ask(
    `select player, kind, code, accepted, round_end, bonus_bucket, metadata, cash, operator
      from kassa.journal order by sequence`,
  );
  expect(rows).toEqual([
    {
      ...{ player: 'alice', kind: 'bet', code: 'insufficient_funds', accepted: false },
      ...{ round_end: true, bonus_bucket: false, metadata: '\\000\\377', cash: '10.00' },
      operator: 'acme',
    },
    {
      ...{ player: 'alice', kind: 'adjust', code: 'ok', accepted: true, round_end: false },
      ...{ bonus_bucket: true, metadata: 'ä', cash: '10.05', operator: 'acme' },
    },
    {
      ...{ player: null, kind: 'setOperator', code: 'ok', accepted: true, round_end: false },
      ...{ bonus_bucket: false, metadata: null, cash: null, operator: 'acme' },
    },
  ]);
});
