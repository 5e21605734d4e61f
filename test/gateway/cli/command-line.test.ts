// Help, wrong usage and wrong settings of the command line: what is printed where, and exit codes.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InterruptedError } from '../../../gateway/cli/invocation.ts';
import { readManifest } from '../../../gateway/supervision/pinned-node.ts';
import { makeTemporaryFolder, removeFolder, TestLog } from '../../persist/test-log.ts';
import { call } from './call.ts';

const COMMANDS = ['reconcile', 'rebuild', 'ggr', 'reconcile-provider'];
const RANGE = ['--from', '2026-01-01', '--to', '2026-02-01'];
const NO_FOLDER = { KASSA_DATA: join(tmpdir(), `kassa-none-${process.pid}`) };

test.each([['--help'], ['report --help'], ...COMMANDS.map((name) => [`report ${name} --help`])])(
  'kassa %s has examples and the exit codes',
  async (line) => {
    const { exitCode, output, errorOutput } = await call(line.split(' '));
    expect(exitCode).toBe(0);
    expect(errorOutput).toBe('');
    expect(output).toMatch(/Usage: kassa/);
    expect(output).toMatch(/Examples:\n {2}(KASSA_\S+ )?npm run kassa -- report /);
    expect(output).toMatch(/Exit codes: 0 fine; 2 .* 10 .* 1 anything else/);
    expect(Math.max(...output.split('\n').map((text) => text.length))).toBeLessThanOrEqual(101);
  },
);

test('every command is in the help of its group', async () => {
  const { output } = await call(['report', '--help']);
  for (const name of COMMANDS) expect(output).toMatch(new RegExp(`^ {2}${name} `, 'm'));
});

test('--version prints the version', async () => {
  const { exitCode, output } = await call(['--version']);
  expect([exitCode, output]).toEqual([0, `${readManifest().version}\n`]);
});

test.each<[string, RegExp]>([
  ['', /Usage: kassa/],
  ['report', /Usage: kassa report/],
  ['reprot', /unknown command 'reprot'/],
  ['report reconcil', /unknown command 'reconcil'[\s\S]*reconcile/],
  ['report reconcile --jsno', /unknown option '--jsno'/],
  ['report reconcile much', /too many arguments/],
  ['report ggr', /required option '--from <time>' not specified/],
  ['report ggr --from today --to 2026-01-01', /'today' is invalid. Give a date or time/],
  ['report ggr --from 2026-01-02 --to 2026-01-01', /ends before it begins/],
  ['report ggr --from 2026-01-01T00:00:30 --to 2026-01-02', /kept by the minute/],
  ['report ggr --from 2026-01-01 --to 2026-01-02 --csv --json', /cannot be used with/],
  ['report reconcile-provider --provider x', /missing required argument 'file'/],
  ['report reconcile-provider list.csv', /required option '--provider <name>'/],
  ['report reconcile-provider none.csv --provider x', /cannot be read: ENOENT/],
  ['report reconcile-provider test --provider x', /cannot be read: test is a folder/],
  ['report reconcile-provider a.csv --provider x --from 2026-01-01', /range with one end/],
  ['report reconcile-provider a.csv --provider x --delimiter ::', /Give one character/],
  ['report rebuild', /this is no terminal. Give --yes/],
])('kassa %s is wrong usage: exit code 10', async (line, message) => {
  const folder = makeTemporaryFolder();
  new TestLog({ folder }).close();
  const environment = { KASSA_DATA: folder };
  const result = await call(line === '' ? [] : line.split(' '), { environment });
  expect(result.errorOutput).toMatch(message);
  expect(result.errorOutput).not.toMatch(/^\s+at /m);
  expect(result).toMatchObject({ exitCode: 10, output: '' });
  removeFolder(folder);
});

test.each(['reconcile', 'rebuild --yes', `ggr ${RANGE.join(' ')}`])(
  'kassa report %s never makes a data folder',
  async (line) => {
    const result = await call(['report', ...line.split(' ')], { environment: NO_FOLDER });
    expect(result.exitCode).toBe(10);
    expect(result.errorOutput).toMatch(/^Cannot report because KASSA_DATA must name a data folder/);
    expect(result.errorOutput).toContain(NO_FOLDER.KASSA_DATA);
  },
);

test('a data folder without reports is told from one that is none', async () => {
  const folder = makeTemporaryFolder();
  new TestLog({ folder }).close();
  const result = await call(['report', 'ggr', ...RANGE], { environment: { KASSA_DATA: folder } });
  expect(result.exitCode).toBe(1);
  expect(result.errorOutput).toMatch(/^Cannot report because \S+ holds no reports yet/);
  removeFolder(folder);
});

test.each([
  [{ KASSA_REPROTING: 'on' }, /no setting has this name: KASSA_REPROTING/],
  [{ KASSA_CONFIG: '/none.json' }, /KASSA_CONFIG must name a readable file/],
])('the settings %j are refused as the server refuses them', async (environment, message) => {
  const result = await call(['report', 'reconcile'], { environment });
  expect(result.exitCode).toBe(10);
  expect(result.errorOutput).toMatch(message);
});

test('a Postgres that is not there is named without its password', async () => {
  const environment = { KASSA_POSTGRES_URL: 'postgres://kassa:verysecret@127.0.0.1:1/reports' };
  const result = await call(['report', 'ggr', ...RANGE], { environment });
  expect(result.exitCode).toBe(1);
  expect(result.errorOutput).toMatch(/not reachable at 127.0.0.1:1\/reports: .*ECONNREFUSED/);
  expect(result.errorOutput).not.toContain('verysecret');
});

test('a wrong URL is wrong settings', async () => {
  const environment = { KASSA_POSTGRES_URL: 'mysql://kassa:verysecret@host/db' };
  const result = await call(['report', 'ggr', ...RANGE], { environment });
  expect(result.exitCode).toBe(10);
  expect(result.errorOutput).not.toContain('verysecret');
});

test('a rebuild that is not confirmed changes nothing', async () => {
  const folder = makeTemporaryFolder();
  new TestLog({ folder }).close();
  const environment = { KASSA_DATA: folder };
  const result = await call(['report', 'rebuild'], { environment, typed: 'n\n' });
  expect(result.exitCode).toBe(10);
  expect(result.errorOutput).toMatch(/This drops the schema "kassa"[\s\S]*nothing was changed/);
  removeFolder(folder);
});

test('a call that is stopped says so and ends with the code of its signal', async () => {
  const signal = AbortSignal.abort(new InterruptedError('SIGINT', 2));
  const environment = { KASSA_POSTGRES_URL: 'postgres://127.0.0.1:1/reports' };
  const result = await call(['report', 'ggr', ...RANGE], { environment, signal });
  expect(result).toMatchObject({ exitCode: 130, errorOutput: 'Stopped by SIGINT.\n' });
});
