// What the reporter does with what it cannot take: rows that Postgres refuses, databases and logs
// that do not belong together, the journal turned off and on, and ids and metadata of every odd
// kind, which it has to take.
import { cpSync } from 'node:fs';
import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ReportRefusal } from '../../../persist/reporting/report-session.ts';
import type { Draft } from '../../model/model-stage.ts';
import { hasDebianPostgres } from '../../support/postgres-server.ts';
import { makeTemporaryFolder, removeFolder, TestLog } from '../test-log.ts';
import { HandLog } from './hand-log.ts';
import { ReportStage } from './report-stage.ts';
import { SEGMENT_BYTES_MAX } from './reported-play.ts';

describe.each(['embedded', 'debian'] as const)('the reporter refused by the %s server', (kind) => {
  const isThere = kind === 'embedded' || hasDebianPostgres();
  let stage: ReportStage;
  let client: Client;
  let folder = '';
  let log: HandLog;

  beforeAll(async () => {
    if (!isThere) return;
    stage = await ReportStage.start(kind);
    client = await stage.connect();
  }, 60_000);

  beforeEach(async () => {
    if (!isThere) return;
    await stage.dropReports();
    if (folder !== '') removeFolder(folder);
    folder = makeTemporaryFolder();
    log = new HandLog(folder);
  });

  afterAll(async () => {
    await stage?.end();
    if (folder !== '') removeFolder(folder);
  });

  function report(options: { journal?: boolean; dataFolder?: string } = {}): Promise<void> {
    return stage.report({ dataFolder: folder, lastPosition: log.position, ...options });
  }

  async function ask(query: string): Promise<unknown[][]> {
    return (await client.query<unknown[]>({ text: query, rowMode: 'array' })).rows;
  }

  test.skipIf(!isThere)(
    'a row that a constraint refuses is put aside, all others go on',
    async () => {
      await report();
      await client.query(`
      alter table kassa.transactions
        add constraint house_rule check (amount_minor is distinct from 13)`);
      const codes = log.send(
        { kind: 'deposit', amount: 100 },
        { kind: 'bet', amount: 13, transactionId: 'refused' },
        { kind: 'deposit', player: 'bob', amount: 7 },
      );
      expect(codes).toEqual([0, 0, 0]);
      await report();
      log.send({ kind: 'deposit', amount: 1 });
      await report();
      const sequence = log.stage.shard.sequence - 2;
      const [rejected, ...others] = await ask(`
      select target, position, sequence, sql_state, reason, row_bytes from kassa.rejected_rows`);
      expect(others).toEqual([]);
      expect(rejected.slice(0, 4)).toEqual(['transactions', 2, sequence, '23514']);
      expect(rejected[4]).toContain('violates check constraint "house_rule"');
      expect(Buffer.from(rejected[5] as Buffer).includes('refused')).toBe(true);
      expect(
        await ask(
          'select amount_minor from kassa.transactions where position > 1 order by sequence',
        ),
      ).toEqual([[100], [7], [1]]);
      // Balances are the log's all the same.
      expect(
        await ask(
          `select player, cash_minor from kassa.accounts where currency = 'EUR' order by 1`,
        ),
      ).toEqual([
        ['ann', 88],
        ['bob', 7],
      ]);
      expect(stage.lines.filter(({ level }) => level === 'error')).toMatchObject([
        { text: 'Postgres refused rows: see kassa.rejected_rows', fields: { rejectedRows: 1 } },
      ]);
      expect(stage.measures.position).toBe(log.position);
    },
  );

  test.skipIf(!isThere)('a database that is not in UTF8 is refused and left as it is', async () => {
    await client.query(`
      create database western encoding 'LATIN1' locale 'C' template template0`);
    const connection = stage.connection('western');
    const refusal = stage.report({ dataFolder: folder, lastPosition: log.position, connection });
    await expect(refusal).rejects.toThrow(ReportRefusal);
    await expect(refusal).rejects.toThrow(
      'Cannot report into the database western because it must be in UTF8, which holds every id: ' +
        `LATIN1. Make another database with encoding 'UTF8' and name it in KASSA_POSTGRES_URL.`,
    );
    const western = await stage.connect('western');
    const { rows } = await western.query(`
      select from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`);
    expect(rows).toEqual([]);
    expect((await western.query(`select from pg_namespace where nspname = 'kassa'`)).rowCount).toBe(
      0,
    );
    await western.end();
    await client.query('drop database western');
  });

  test.skipIf(!isThere)('the reports of another data folder are refused and stay', async () => {
    log.send({ kind: 'deposit', amount: 5 });
    await report();
    const other = makeTemporaryFolder();
    const otherLog = new HandLog(other);
    otherLog.send({ kind: 'deposit', amount: 6 });
    const refusal = report({ dataFolder: other });
    await expect(refusal).rejects.toThrow(ReportRefusal);
    await expect(refusal).rejects.toThrow(
      /database kassa because it has the reports of another data folder: [0-9a-f]{32}\. .*rebuild$/,
    );
    expect(await ask('select position, record_count from kassa.reporter_position')).toEqual([
      [2, log.stage.shard.sequence],
    ]);
    await report();
    removeFolder(other);
  });

  test.skipIf(!isThere)('balances that somebody shortened are not taken as zeros', async () => {
    log.send({ kind: 'deposit', amount: 5 });
    await report();
    await client.query(`update kassa.balance_changes set cash_minor = '{}'`);
    log.send({ kind: 'deposit', amount: 6 });
    const refusal = report();
    await expect(refusal).rejects.toThrow(ReportRefusal);
    await expect(refusal).rejects.toThrow(
      /page 0 because a column has 0 values .* report rebuild$/,
    );
    expect(await ask('select position from kassa.reporter_position')).toEqual([[2]]);
  });

  test.skipIf(!isThere)(
    'a log that was put back is refused, and the text says what to do',
    async () => {
      const copy = makeTemporaryFolder();
      cpSync(folder, copy, { recursive: true });
      log.send({ kind: 'deposit', amount: 5 });
      log.send({ kind: 'deposit', amount: 6 });
      await report();
      const resume = (): Promise<void> =>
        stage.report({ dataFolder: copy, lastPosition: 4, untilPosition: 4 });
      // Its end lies before what was reported.
      await expect(resume()).rejects.toThrow(ReportRefusal);
      await expect(resume()).rejects.toThrow(/from block 3 .*: no such block\. .* report rebuild$/);
      // It went on in another way: another block stands there.
      const other = new TestLog({ folder: copy, segmentBytesMax: SEGMENT_BYTES_MAX });
      for (const block of log.stage.blocks.slice(1).reverse()) {
        other.handOverRecords(block, log.stage.nowMs);
        other.commit();
      }
      other.close();
      await expect(resume()).rejects.toThrow(ReportRefusal);
      await expect(resume()).rejects.toThrow(/from block 3 .*: [0-9a-f]{8}\. .* report rebuild$/);
      expect(await ask('select position from kassa.reporter_position')).toEqual([[3]]);
      removeFolder(copy);
    },
  );

  test.skipIf(!isThere)(
    'without the journal balances and turnover are right all the same',
    async () => {
      play();
      await report({ journal: false });
      expect(await ask('select * from kassa.transactions')).toEqual([]);
      expect(await ask('select * from kassa.unfinished_rounds')).toEqual([]);
      expect(await ask('select journal_from from kassa.reporter_position')).toEqual([[null]]);
      expect(await ask(BALANCES)).toEqual([
        ['ann', 475, 0],
        ['bob', 20, 0],
      ]);
      expect(await ask('select sum(difference_minor)::text from kassa.trial_balance()')).toEqual([
        ['0'],
      ]);
      expect(await ask(TURNOVER)).toEqual([
        [1, 1, 0, '500'],
        [3, 2, 1, '-25'],
        [4, 1, 0, '20'],
        [9, 1, 0, '-20'],
      ]);
    },
  );

  test.skipIf(!isThere)(
    'a journal that is turned off and on says from where it is whole',
    async () => {
      const from = async (): Promise<unknown> =>
        (await ask('select journal_from from kassa.reporter_position'))[0][0];
      const kept = (): Promise<unknown[][]> =>
        ask('select distinct position from kassa.transactions order by 1');
      play();
      await report();
      expect(await from()).toBe(0);
      log.send({ kind: 'bet', amount: 1, round: 'unseen', transactionId: 'first' });
      await report({ journal: false });
      expect(await from()).toBe(null);
      expect(await ask('select * from kassa.unfinished_rounds')).toEqual([]);
      log.send({ kind: 'bet', amount: 2, round: 'seen', game: 'dice' });
      await report();
      expect(await from()).toBe(3);
      // Its bet stands before where the journal begins, so nothing tells its game or round.
      log.send({ kind: 'win', amount: 4, reference: 'first' });
      await report();
      expect(await from()).toBe(3);
      expect(await kept()).toEqual([[1], [2], [4], [5]]);
      expect(await ask('select round_key from kassa.unfinished_rounds order by 1')).toEqual([
        ['rseen'],
      ]);
      expect(await ask(BALANCES)).toEqual([
        ['ann', 476, 0],
        ['bob', 20, 0],
      ]);
    },
  );

  /** Some of what moves money, as block 2. */
  function play(): void {
    const codes = log.send(
      { kind: 'deposit', amount: 500 },
      { kind: 'bet', amount: 10, game: 'dice', transactionId: 'one', round: 'r1' },
      { kind: 'bet', amount: 15, game: 'dice' },
      { kind: 'bet', amount: 10_000 },
      { kind: 'win', amount: 20, reference: 'one', roundEnd: true },
      { kind: 'transfer', amount: 20, to: 'bob' },
    );
    expect(codes).toEqual([0, 0, 0, 10, 0, 0]);
  }

  test.skipIf(!isThere)('ids of every odd kind arrive unchanged', async () => {
    const drafts = ODD_IDS.flatMap((id): Draft[] => [
      { kind: 'open', player: id, transactionId: id },
      { kind: 'deposit', player: id, transactionId: id, amount: 9 },
      { kind: 'bet', player: id, transactionId: id, round: id, game: id, amount: 1 },
      { kind: 'win', player: id, transactionId: id, reference: id, amount: 1 },
      { kind: 'bet', player: id, transactionId: `${id.slice(0, 2)}-`, amount: 1 },
    ]);
    expect(log.send(...drafts).filter((code) => code !== 0)).toEqual([]);
    await report();
    const { rows } = await client.query<Record<string, string | null>>(`
      select player, transaction_id, round, reference, game from kassa.journal
      where transaction_id is not null and position = 2 order by sequence`);
    const expected = ODD_IDS.flatMap((id) => [
      { player: id, transaction_id: id, round: null, reference: null, game: null },
      { player: id, transaction_id: id, round: null, reference: null, game: null },
      { player: id, transaction_id: id, round: id, reference: null, game: id },
      { player: id, transaction_id: id, round: id, reference: id, game: id },
      {
        player: id,
        transaction_id: `${id.slice(0, 2)}-`,
        round: null,
        reference: null,
        game: null,
      },
    ]);
    expect(rows).toEqual(expected);
    const keys = await ask('select round_key from kassa.unfinished_rounds');
    const wanted = ODD_IDS.flatMap((id) => [`r${id}`, `b${id.slice(0, 2)}-`]);
    expect(keys.flat().sort()).toEqual(wanted.sort());
    // A session that loads them ends them by the same names.
    log.send(
      ...ODD_IDS.map((id) => ({
        ...{ kind: 'win', player: id, reference: id, roundEnd: true, amount: 1 },
      })),
    );
    await report();
    const left = await ask('select round_key from kassa.unfinished_rounds');
    expect(left.flat().sort()).toEqual(ODD_IDS.map((id) => `b${id.slice(0, 2)}-`).sort());
    expect(await ask('select * from kassa.rejected_rows')).toEqual([]);
  });

  test.skipIf(!isThere)(
    'metadata arrives byte for byte, with U+0000 and all controls',
    async () => {
      const all = Array.from({ length: 160 }, (_, code) => String.fromCharCode(code)).join('');
      const texts = ['\0', all, 'a\0b', '{"a": "\\u0000"}', '😀'.repeat(64), '\\x00'];
      const codes = log.send(
        ...texts.map((metadata) => ({ kind: 'deposit', amount: 1, metadata })),
      );
      expect(codes).toEqual(texts.map(() => 0));
      await report();
      const rows = await ask(
        'select metadata from kassa.transactions where position = 2 order by sequence',
      );
      expect(rows.flat().map(String)).toEqual(texts);
      expect(await ask('select * from kassa.rejected_rows')).toEqual([]);
    },
  );
});

const BALANCES = `
  select player, cash_minor, bonus_minor from kassa.accounts
  where currency = 'EUR' order by player`;

const TURNOVER = `
  select kind, sum(accepted_count)::integer, sum(refused_count)::integer,
    sum(cash_moved_minor)::text
  from kassa.turnover group by kind order by kind`;

/** All that a gateway lets through: up to 64 bytes of UTF-8 without U+0000 to U+001F and U+007F. */
const ODD_IDS: readonly string[] = [
  `'"\\\`$1;--%s{}()[]`,
  '\\N\\.\\t\\000',
  ' leading and trailing ',
  '👩‍👩‍👧‍👦🇺🇳',
  'שלום\u202eabc\u200f',
  'e\u0301\u0327 \u00e9',
  Array.from({ length: 16 }, (_, code) => String.fromCharCode(0x80 + code)).join(''),
  Array.from({ length: 16 }, (_, code) => String.fromCharCode(0x90 + code)).join(''),
  '\ufeff\ufffe\uffff\ufffd',
  '\u2028\u2029\u00a0\u00ad',
  '\u{10ffff}\u{1f600}',
  'x'.repeat(64),
  '€'.repeat(21),
  '0',
  'null',
];
