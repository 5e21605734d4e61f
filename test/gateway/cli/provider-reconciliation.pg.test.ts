// A provider's list against a journal of known rows: what agrees, and each way in which a line can
// disagree.
import { Readable } from 'node:stream';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ProviderOptions,
  type ProviderSummary,
  reconcileProvider,
} from '../../../persist/reconciliation/provider-reconciliation.ts';
import type { ProviderDifference } from '../../../persist/reconciliation/provider-result.ts';
import { UnknownNameError } from '../../../persist/reporting/ggr.ts';
import { removeFolder } from '../../persist/test-log.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { PostgresServer } from '../../support/postgres-server.ts';
import { makeLog, type ReportedLog, reportLog } from './reported-log.ts';

let server: PostgresServer;
let client: Client;
let log: ReportedLog;

const NOON = '2026-02-01T12:00:00Z';
const HEADER = 'transaction_id,kind,round,amount,currency,state,player';

/** What was played, as the provider would list it. */
const AGREED: readonly string[] = [
  'b1,bet,r1,10.00,EUR,accepted,ann',
  'w1,win,r1,7.50,EUR,accepted,ann',
  'b2,bet,r2,5.00,EUR,rolled_back,ann',
  'x2,rollback,r2,5.00,EUR,accepted,ann',
  'b3,bet,r3,9999.00,EUR,rejected,ann',
  'w4,win,r1,0.30,EUR,rolled_back,ann',
  'x4,rollback_win,r1,,EUR,accepted,ann'.replace(',,EUR', ',0.30,EUR'),
  'same,bet,r5,1.00,EUR,accepted,ann',
  'same,bet,r5,2.00,EUR,accepted,bob',
  'late,bet,r6,3.00,EUR,rolled_back,ann',
  'x6,rollback,r6,3.00,EUR,accepted,ann',
  'never,bet,r7,4.00,EUR,cancelled,ann',
  'x7,rollback,r7,4.00,EUR,accepted,ann',
  'unknown,bet,r8,4.00,EUR,rejected,nobody',
];

beforeAll(async () => {
  server = await PostgresServer.start('embedded');
  const stage = new EngineStage();
  stage.closeBlock();
  stage.nowMs = Date.parse(NOON);
  stage.fund({ cash: 10_000 });
  stage.send({ kind: 'deposit', player: 'bob', amount: 10_000 });
  const codes = stage.codes(
    { kind: 'bet', transactionId: 'b1', round: 'r1', amount: 1_000, game: 'g' },
    { kind: 'win', transactionId: 'w1', round: 'r1', amount: 750 },
    { kind: 'bet', transactionId: 'b2', round: 'r2', amount: 500 },
    { kind: 'rollback', transactionId: 'x2', reference: 'b2' },
    { kind: 'bet', transactionId: 'b3', round: 'r3', amount: 999_900 },
    { kind: 'win', transactionId: 'w4', round: 'r1', amount: 30 },
    { kind: 'rollback', transactionId: 'x4', reference: 'w4', of: 'win' },
    { kind: 'bet', transactionId: 'same', round: 'r5', amount: 100 },
    { kind: 'bet', transactionId: 'same', round: 'r5', amount: 200, player: 'bob' },
    { kind: 'rollback', transactionId: 'x6', reference: 'late', amount: 300 },
    { kind: 'bet', transactionId: 'late', round: 'r6', amount: 300 },
    { kind: 'rollback', transactionId: 'x7', reference: 'never' },
    { kind: 'bet', transactionId: 'b1', round: 'r1', amount: 700, provider: 'other' },
  );
  expect(codes).toEqual([0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 17, 0, 0]);
  // Three days later, so that no search by day finds it.
  stage.closeBlock();
  stage.nowMs += 3 * 86_400_000;
  stage.send({ kind: 'bet', transactionId: 'after', round: 'r9', amount: 100 });
  stage.closeBlock();
  log = makeLog(stage.blocks);
  await reportLog(log.folder, { connectionString: server.url });
  client = new Client({ connectionString: server.url });
  await client.connect();
}, 120_000);

afterAll(async () => {
  await client?.end();
  await server?.remove();
  if (log !== undefined) removeFolder(log.folder);
});

interface Found {
  readonly summary: ProviderSummary;
  readonly differences: ProviderDifference[];
}

const DAY = { from: new Date('2026-02-01T00:00:00Z'), to: new Date('2026-02-02T00:00:00Z') };

async function compare(
  lines: readonly string[],
  options: Partial<ProviderOptions> & { readonly header?: string } = {},
): Promise<Found> {
  const { header = HEADER, ...others } = options;
  const list = Readable.from([[header, ...lines].join('\n')]);
  return reconcileProvider(
    {
      ...{ client, list, provider: 'studio', operator: undefined, range: DAY },
      ...{ isMinor: false, delimiter: ',', ...others },
    },
    async (summary, rows) => {
      const differences: ProviderDifference[] = [];
      for await (const row of rows) differences.push(row);
      return { summary, differences };
    },
  );
}

/** The agreed lines with one of them replaced, or left out for ''. */
function withLine(old: string, line: string): string[] {
  expect(AGREED).toContain(old);
  return AGREED.map((each) => (each === old ? line : each)).filter((each) => each !== '');
}

describe('a list', () => {
  test('that agrees has no differences', async () => {
    const { summary, differences } = await compare(AGREED);
    expect(differences).toEqual([]);
    expect(summary).toMatchObject({
      ...{ lineCount: AGREED.length, matchedCount: AGREED.length - 2, unrecordedCount: 2 },
      ...{ badLineCount: 0, counts: { missing: 0, extra: 0, different: 0, duplicate: 0 } },
    });
    expect(summary.position).toBeGreaterThan(0);
  });

  test('leaves no table and no transaction behind', async () => {
    await compare(AGREED);
    const { rows } = await client.query(
      `select to_regclass('pg_temp.provider_list') as list, now() <> statement_timestamp() as open`,
    );
    expect(rows[0].list).toBeNull();
  });

  test('with a line that we have not is missing it', async () => {
    const { differences } = await compare([...AGREED, 'b77,bet,r77,2.00,EUR,accepted,ann']);
    expect(differences).toEqual([
      expect.objectContaining({
        ...{ sort: 'missing', line: 16, round: 'r77', transactionId: 'b77', kind: 'bet' },
        ...{ theirs: '2.00 EUR accepted', ours: null },
      }),
    ]);
  });

  test('without a line that we have shows it as extra', async () => {
    const { differences } = await compare(withLine('b1,bet,r1,10.00,EUR,accepted,ann', ''));
    expect(differences).toEqual([
      expect.objectContaining({
        ...{ sort: 'extra', line: null, round: 'r1', transactionId: 'b1', player: 'ann' },
        ...{ operator: 'op', theirs: null, ours: '10.00 EUR accepted' },
      }),
    ]);
  });

  test.each([
    ['amount', 'b1,bet,r1,10.01,EUR,accepted,ann', '10.01 EUR', '10.00 EUR'],
    ['currency', 'b1,bet,r1,10.00,USD,accepted,ann', 'USD', 'EUR'],
    ['round', 'b1,bet,r2,10.00,EUR,accepted,ann', 'r2', 'r1'],
    ['state', 'b1,bet,r1,10.00,EUR,rejected,ann', 'rejected', 'accepted'],
    ['state', 'b1,bet,r1,10.00,EUR,rolled_back,ann', 'rolled_back', 'accepted'],
  ])('with another %s (%s) differs in it', async (field, line, theirs, ours) => {
    const { differences } = await compare(withLine('b1,bet,r1,10.00,EUR,accepted,ann', line));
    expect(differences).toEqual([
      expect.objectContaining({ sort: 'different', line: 2, field, theirs, ours }),
    ]);
  });

  test.each([
    ['b3,bet,r3,9999.00,EUR,rejected,ann', 'accepted', 'rejected (insufficient_funds)'],
    ['b2,bet,r2,5.00,EUR,rolled_back,ann', 'accepted', 'rolled_back'],
    ['late,bet,r6,3.00,EUR,rolled_back,ann', 'accepted', 'rolled_back (bet_rolled_back)'],
  ])('that takes %s for %s differs in the state', async (line, state, ours) => {
    const [id, kind, round, amount, currency, , player] = line.split(',');
    const changed = [id, kind, round, amount, currency, state, player].join();
    const { differences } = await compare(withLine(line, changed));
    expect(differences).toEqual([
      expect.objectContaining({ sort: 'different', field: 'state', theirs: state, ours }),
    ]);
  });

  test('with a line twice has a duplicate, which counts once as matched', async () => {
    const { summary, differences } = await compare([...AGREED, AGREED[0]]);
    expect(differences).toEqual([
      expect.objectContaining({ sort: 'duplicate', line: 16, transactionId: 'b1' }),
    ]);
    expect(summary.matchedCount).toBe(AGREED.length - 2);
  });

  test('with the wrong player is missing it and has ours as extra', async () => {
    const { differences } = await compare(
      withLine('b1,bet,r1,10.00,EUR,accepted,ann', 'b1,bet,r1,10.00,EUR,accepted,bob'),
    );
    expect(differences.map(({ sort }) => sort).sort()).toEqual(['extra', 'missing']);
  });

  test('without players finds the one of several that fits', async () => {
    const lines = AGREED.map((line) => line.replace(/,[^,]*$/, ''));
    const header = HEADER.replace(',player', '');
    const { differences } = await compare(lines, { header });
    expect(differences).toEqual([]);
  });

  test('without refused lines and rollbacks is taken to leave them out', async () => {
    const lines = AGREED.filter((line) => !/rollback|rejected/.test(line));
    expect((await compare(lines)).differences).toEqual([]);
  });

  test('without a range is looked for in the time of what matches', async () => {
    const { summary, differences } = await compare(AGREED, { range: undefined });
    expect(differences).toEqual([]);
    expect(summary.from).toBe('2026-02-01T12:00:00.000Z');
    const withLast = [...AGREED, 'after,bet,r9,1.00,EUR,accepted,ann'];
    expect((await compare(withLast, { range: undefined })).differences).toEqual([]);
  });

  test('of a day is missing what we have on quite another day', async () => {
    const { differences } = await compare([...AGREED, 'after,bet,r9,1.00,EUR,accepted,ann']);
    expect(differences).toEqual([expect.objectContaining({ sort: 'missing' })]);
  });

  test('is ordered by round', async () => {
    const { differences } = await compare(['zz,bet,r9,1,EUR,ok,ann', 'aa,bet,r0,1,EUR,ok,ann']);
    const rounds = differences.map(({ round }) => round ?? '~');
    expect(rounds).toEqual([...rounds].sort());
    expect(rounds[0]).toBe('r0');
  });

  test('names its bad lines and compares the rest', async () => {
    const { summary, differences } = await compare(['b0,bet,r1,1.001,EUR,ok,ann', ...AGREED]);
    expect(differences).toEqual([]);
    expect(summary.badLineCount).toBe(1);
    expect(summary.badLines).toEqual([
      { line: 2, problem: expect.stringMatching(/more decimals/) },
    ]);
  });

  test('with tabs, backslashes and quotes in ids is copied as it is', async () => {
    const ids = ['a\\b', "a'b", 'a""b', '\\N', '\\.'];
    const { differences } = await compare(ids.map((id) => `"${id}",bet,"${id}",1,EUR,ok,ann`));
    const missing = differences.filter(({ sort }) => sort === 'missing');
    expect(missing.map(({ transactionId }) => transactionId).sort()).toEqual(
      ids.map((id) => id.replace('""', '"')).sort(),
    );
  });

  test('of an unknown provider or operator is refused', async () => {
    await expect(compare(AGREED, { provider: 'nobody' })).rejects.toThrow(UnknownNameError);
    await expect(compare(AGREED, { operator: 'nobody' })).rejects.toThrow(UnknownNameError);
  });

  test('cannot be compared while the journal is off', async () => {
    await client.query('update kassa.reporter_position set journal_from = null');
    await expect(compare(AGREED)).rejects.toThrow(/the journal is turned off/);
    await client.query('update kassa.reporter_position set journal_from = 0');
  });
});
