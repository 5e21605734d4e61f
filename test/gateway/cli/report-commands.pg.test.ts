// The report commands as a person calls them, against a real Postgres: what they print, their exit
// codes, and that rebuilt reports are the same.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InterruptedError } from '../../../gateway/cli/invocation.ts';
import { lockFolder } from '../../../persist/folder-lock.ts';
import { findRunningCluster } from '../../../persist/postgres/find-cluster.ts';
import { removeFolder } from '../../persist/test-log.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { PostgresServer } from '../../support/postgres-server.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { call } from './call.ts';
import { makeLog, makePlayedLog, type ReportedLog, reportLog } from './reported-log.ts';

const RANGE = ['--from', '2026-01-31', '--to', '2026-02-03'];

let server: PostgresServer;
let client: Client;
let log: ReportedLog;
let environment: Record<string, string>;

beforeAll(async () => {
  server = await PostgresServer.start('embedded');
  log = makePlayedLog(new SeededRandom('the report commands'));
  environment = { KASSA_DATA: log.folder, KASSA_POSTGRES_URL: server.url };
  client = new Client({ connectionString: server.url });
  await client.connect();
}, 120_000);

afterAll(async () => {
  await client?.end();
  await server?.remove();
  if (log !== undefined) removeFolder(log.folder);
});

/** Everything that a rebuild has to make again, as text. */
async function contents(): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const query of [
    'select * from kassa.account_identities order by account_id',
    'select * from kassa.transactions order by shard, sequence, flags & 128',
    `select * from kassa.turnover
     order by minute, operator_id, provider_id, currency_id, kind, of_win, game_id`,
    'select position, record_count, snapshot_id > 0, journal_from from kassa.reporter_position',
  ]) {
    all.push(...(await client.query(query)).rows);
  }
  return all;
}

/** The command line as a process of its own. */
function startProcess(arguments_: readonly string[]): ChildProcess {
  const program = join(import.meta.dirname, '../../../gateway/cli/main.ts');
  return spawn(process.execPath, [program, ...arguments_], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe('without a running server, with a Postgres of its own', () => {
  test('nothing has been reported before the first rebuild', async () => {
    const result = await call(['report', 'reconcile'], { environment });
    expect(result.exitCode).toBe(1);
    expect(result.errorOutput).toMatch(/reporting has written nothing yet/);
  });

  test('a rebuild makes the reports, and makes the same ones again', async () => {
    const first = await call(['report', 'rebuild', '--yes'], { environment });
    expect(first).toMatchObject({ exitCode: 0, errorOutput: '' });
    expect(first.output).toMatch(/^The reports are rebuilt up to position \d+\.\n$/);
    const before = await contents();
    await client.query('update kassa.turnover set refused_count = 1000');
    const second = await call(['report', 'rebuild'], { environment, typed: 'yes\n' });
    expect(second.exitCode).toBe(0);
    expect(await contents()).toEqual(before);
  }, 60_000);

  test('reconcile agrees, in words and in JSON, with exit code 0', async () => {
    const text = await call(['report', 'reconcile'], { environment });
    expect(text).toMatchObject({ exitCode: 0, errorOutput: '' });
    expect(text.output).toMatch(/^Postgres agrees with the log at position \d+ \(2026-/);
    const json = await call(['report', 'reconcile', '--json'], { environment });
    expect(json.exitCode).toBe(0);
    expect(JSON.parse(json.output)).toMatchObject({ differenceCount: 0, differences: [] });
  });

  test('reconcile lists differences and exits with 2, all of them in JSON', async () => {
    await client.query('update kassa.account_identities set status = 3 where account_id < 30');
    const text = await call(['report', 'reconcile'], { environment });
    expect(text.exitCode).toBe(2);
    expect(text.output).toMatch(/account, the first 20 of \d\d:/);
    expect(text.output).toMatch(/│ account 3 +│ status +│ (active|frozen) +│ closed +│/);
    expect(text.output).toMatch(/Postgres differs from the log at position \d+ .* in \d\d values/);
    const json = await call(['report', 'reconcile', '--json'], { environment });
    expect(json.exitCode).toBe(2);
    const { differences, differenceCount } = JSON.parse(json.output);
    expect(differences).toHaveLength(differenceCount);
    expect(differenceCount).toBeGreaterThan(20);
    await call(['report', 'rebuild', '--yes'], { environment });
  }, 60_000);

  test('reconcile on a terminal draws its progress on standard error', async () => {
    const result = await call(['report', 'reconcile'], { environment, typed: '' });
    expect(result.exitCode).toBe(0);
    expect(result.output).toMatch(/^Postgres agrees/);
    expect(result.errorOutput).toMatch(/records \|/);
  });

  test('ggr prints what the views of the schema show', async () => {
    const { rows } = await client.query(
      'select * from kassa.ggr($1, $2) order by operator, currency',
      ['2026-01-31', '2026-02-03'].map((day) => `${day}T00:00:00Z`),
    );
    const json = await call(['report', 'ggr', ...RANGE, '--json'], { environment });
    expect(json.exitCode).toBe(0);
    const report = JSON.parse(json.output);
    expect(report.rows.length).toBeGreaterThan(0);
    expect(report.rows).toEqual(
      rows.map((row) => ({
        ...{ operator: row.operator, currency: row.currency, bets: row.bets, wins: row.wins },
        ...{ rolledBackBets: row.rolled_back_bets, rolledBackWins: row.rolled_back_wins },
        ...{ ggr: row.ggr, rtp: expect.stringMatching(/^-?\d+\.\d\d$/) },
      })),
    );
    const csv = await call(['report', 'ggr', ...RANGE, '--csv'], { environment });
    expect(csv.output.split('\n')[0]).toBe(
      'operator,currency,bets,rolledBackBets,wins,rolledBackWins,ggr,rtp',
    );
    expect(csv.output).toContain(Object.values(report.rows[0]).join());
    expect(csv.errorOutput).toMatch(/^True at position \d+ \(2026-/);
    const text = await call(['report', 'ggr', ...RANGE], { environment });
    expect(text.output).toMatch(/│ GGR │|GGR +│ +RTP %/);
    expect(text.output).toContain(report.rows[0].ggr);
    expect(text.output).toMatch(/\nTrue at position \d+ \(2026-[^)]*\)\.\n$/);
  });

  test('ggr of an unknown operator is wrong usage, of a time without bets empty', async () => {
    const unknown = await call(['report', 'ggr', ...RANGE, '--operator', 'x'], { environment });
    expect(unknown.exitCode).toBe(10);
    expect(unknown.errorOutput).toMatch(/no record names: "x". Known: op, two/);
    const range = ['--from', '2020-01-01', '--to', '2020-01-02'];
    const empty = await call(['report', 'ggr', ...range], { environment });
    expect(empty).toMatchObject({ exitCode: 0, errorOutput: '' });
    expect(empty.output).toMatch(/^No bets or wins in this range\.\nTrue at/);
  });

  test('a reader with no more rights than kassa_reporting can compare and sum', async () => {
    await client.query(`create role reader login password 'reader' in role kassa_reporting`);
    const url = server.url.replace(/\/\/[^@]*@/, '//reader:reader@');
    const settings = { environment: { ...environment, KASSA_POSTGRES_URL: url } };
    const compared = await call(['report', 'reconcile'], settings);
    expect(compared).toMatchObject({ exitCode: 0, errorOutput: '' });
    const sums = await call(['report', 'ggr', ...RANGE], settings);
    expect(sums).toMatchObject({ exitCode: 0, errorOutput: '' });
    const list = join(log.folder, 'empty-list.csv');
    writeFileSync(list, 'id,kind,round,amount,currency,state\n');
    const command = ['report', 'reconcile-provider', list, '--provider', 'studio'];
    const listed = await call(command, settings);
    expect(listed).toMatchObject({ exitCode: 0, errorOutput: '' });
    const dropped = await call(['report', 'rebuild', '--yes'], settings);
    expect(dropped.exitCode).toBe(1);
    expect(dropped.errorOutput).toMatch(/refused a query: must be owner of schema kassa/);
  });

  test('reconcile-provider exits with 0 or 2, and its CSV and JSON have every row', async () => {
    const { rows } = await client.query<{ transaction_id: string; player: string }>(
      `select t.transaction_id, i.player from kassa.transactions t
       join kassa.account_identities i using (account_id) where kind = 3 and code = 0 limit 30`,
    );
    const file = join(log.folder, '..', `kassa-list-${process.pid}.csv`);
    const lines = rows.map((row) => `${row.transaction_id},bet,,1000000,EUR,ok,${row.player}`);
    writeFileSync(file, ['id,kind,round,amount,currency,state,player', ...lines].join('\n'));
    const command = ['report', 'reconcile-provider', file, '--provider', 'studio'];
    const text = await call(command, { environment });
    expect(text.exitCode).toBe(2);
    expect(text.output).toMatch(/different, the first 20 of \d+:/);
    expect(text.output).toMatch(/30 lines: 30 matched/);
    const json = JSON.parse((await call([...command, '--json'], { environment })).output);
    const listed = json.rounds.flatMap((round: { differences: unknown[] }) => round.differences);
    const { missing, extra, different, duplicate } = json.counts;
    expect(listed).toHaveLength(missing + extra + different + duplicate);
    const csv = await call([...command, '--csv'], { environment });
    expect(csv.output.trimEnd().split('\n')).toHaveLength(listed.length + 1);
    writeFileSync(file, 'id,kind,round,amount,currency,state\n');
    const none = await call(command, { environment });
    expect(none).toMatchObject({ exitCode: 0, errorOutput: '' });
    removeFolder(file);
  });
});

describe('beside a running server', () => {
  test('a rebuild only drops, and waits for the reporter of the server', async () => {
    const lock = lockFolder(log.folder);
    const rebuilding = call(['report', 'rebuild', '--yes'], { environment });
    const schema = `select to_regnamespace('kassa') is not null as there`;
    while ((await client.query(schema)).rows[0].there) await sleep(20);
    await sleep(700);
    await reportLog(log.folder, { connectionString: server.url });
    const result = await rebuilding;
    expect(result).toMatchObject({ exitCode: 0, errorOutput: '' });
    lock.release();
    const compared = await call(['report', 'reconcile'], { environment });
    expect(compared.exitCode).toBe(0);
  }, 60_000);

  test('a rebuild waits for readers to let go of the tables', async () => {
    await client.query('begin');
    await client.query('select count(*) from kassa.turnover');
    const rebuilding = call(['report', 'rebuild', '--yes'], { environment });
    await sleep(3_000);
    await client.query('commit');
    expect((await rebuilding).exitCode).toBe(0);
  }, 60_000);

  test('Ctrl-C ends the process with 130, also when it comes twice at once', async () => {
    const lock = lockFolder(log.folder);
    const child = startProcess(['report', 'rebuild', '--yes']);
    const schema = `select to_regnamespace('kassa') is not null as there`;
    while ((await client.query(schema)).rows[0].there) await sleep(20);
    child.kill('SIGINT');
    child.kill('SIGINT');
    const [exitCode] = await once(child, 'close');
    expect(exitCode).toBe(130);
    lock.release();
    await call(['report', 'rebuild', '--yes'], { environment });
  }, 60_000);

  test('a reader of the output that goes away ends the process', async () => {
    const child = startProcess(['report', 'reconcile', '--json']);
    child.stdout?.destroy();
    const [exitCode] = await once(child, 'close');
    expect(exitCode).toBe(141);
  }, 60_000);

  test('without a Postgres the data folder in use is named', async () => {
    const lock = lockFolder(log.folder);
    const settings = { environment: { KASSA_DATA: log.folder } };
    for (const command of [['reconcile'], ['rebuild', '--yes'], ['ggr', ...RANGE]]) {
      const result = await call(['report', ...command], settings);
      expect(result.exitCode).toBe(1);
      expect(result.errorOutput).toMatch(/because the server that holds \S+ runs no Postgres/);
    }
    lock.release();
  });

  test('a log that goes on is compared at the position of Postgres', async () => {
    const stage = new EngineStage();
    stage.closeBlock();
    const own = makeLog(stage.blocks);
    await client.query('create database ahead');
    const url = server.url.replace(/kassa$/, 'ahead');
    await reportLog(own.folder, { connectionString: url });
    const written = stage.blocks.length;
    stage.fund({ cash: 500 });
    stage.closeBlock();
    own.append(stage.blocks.slice(written));
    const settings = { environment: { KASSA_DATA: own.folder, KASSA_POSTGRES_URL: url } };
    const result = await call(['report', 'reconcile'], settings);
    expect(result.errorOutput).toBe('');
    expect(result.output).toMatch(/agrees with the log at position 1 /);
    removeFolder(own.folder);
  }, 60_000);
});

describe('with the embedded Postgres', () => {
  test('it is made by a rebuild, runs for the time of each command, and is stopped', async () => {
    const embedded = { KASSA_DATA: log.folder };
    const made = await call(['report', 'rebuild', '--yes'], { environment: embedded });
    expect(made).toMatchObject({ exitCode: 0, errorOutput: '' });
    expect(findRunningCluster(log.folder)).toBeUndefined();
    const compared = await call(['report', 'reconcile'], { environment: embedded });
    expect(compared.output).toMatch(/^Postgres agrees with the log/);
    const sums = await call(['report', 'ggr', ...RANGE], { environment: embedded });
    expect(sums.exitCode).toBe(0);
    expect(findRunningCluster(log.folder)).toBeUndefined();
    expect(existsSync(join(log.folder, 'postgres', 'postmaster.pid'))).toBe(false);
  }, 120_000);

  test('it is stopped too when the command is', async () => {
    const cancel = new AbortController();
    const running = call(['report', 'rebuild', '--yes'], {
      environment: { KASSA_DATA: log.folder },
      signal: cancel.signal,
    });
    while (findRunningCluster(log.folder) === undefined) await sleep(20);
    cancel.abort(new InterruptedError('SIGTERM', 15));
    const result = await running;
    expect(result).toMatchObject({ exitCode: 143, errorOutput: 'Stopped by SIGTERM.\n' });
    expect(findRunningCluster(log.folder)).toBeUndefined();
    lockFolder(log.folder).release();
    const again = await call(['report', 'rebuild', '--yes'], {
      environment: { KASSA_DATA: log.folder },
    });
    expect(again.exitCode).toBe(0);
  }, 120_000);
});
