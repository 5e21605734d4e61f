// The benchmark from outside: what it prints, and that it leaves nothing behind.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
const SHORT = ['--seconds', '1', '--warm-up-seconds', '1', '--accounts', '3000', '--json'];

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kassa-bench-test-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test.each(['batch', 'single', 'replay', 'open'])(
  'workload %s prints one object with its figures and conditions, and leaves nothing',
  async (workload) => {
    const programArguments = [PROGRAM, '--workload', workload, '--folder', folder, ...SHORT];
    const { stdout } = await promisify(execFile)(process.execPath, programArguments);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ workload, accounts: 3_000, lanes: 1, failures: [] });
    expect(result.transactionsPerSecond).toBeGreaterThan(0);
    expect(result.calibration.fdatasync64KiBMs).toBeGreaterThan(0);
    expect(result.calibration.echoFramesPerSecond).toBeGreaterThan(0);
    for (const condition of ['machine', 'commit', 'seed', 'durability', 'leftOut']) {
      expect(result).toHaveProperty(condition);
    }
    if (workload === 'replay') {
      expect(result.totals).toBe('zero');
    } else {
      expect([result.repeats, result.refusals]).toEqual([0, 0]);
      expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms);
    }
    if (workload === 'batch' || workload === 'single') {
      expect(result.serverCpuSeconds).toBeGreaterThan(0);
      expect(result.bytesPerTransaction).toBeGreaterThan(40);
    }
    expect(readdirSync(folder)).toEqual([]);
  },
  60_000,
);

test('a rate is kept, in frames that fit it', async () => {
  const rate = ['--rate', '5000', '--folder', folder];
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...rate, ...SHORT]);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ ratePerSecond: 5_000, frameTransactions: 10, failures: [] });
  expect(result.transactionsPerSecond).toBeGreaterThan(4_500);
  expect(result.transactionsPerSecond).toBeLessThan(5_500);
}, 60_000);

test('an interrupted benchmark ends its processes and removes its folder', async () => {
  const programArguments = [PROGRAM, '--folder', folder, '--seconds', '60', '--accounts', '3000'];
  const bench = spawn(process.execPath, programArguments, { stdio: 'ignore' });
  await expect.poll(() => dataFolders().length, { timeout: 30_000 }).toBe(1);
  bench.kill('SIGINT');
  expect(await exitCodeOf(bench)).toBe(130);
  expect(readdirSync(folder)).toEqual([]);
}, 60_000);

test('a wrong option is refused by its name', async () => {
  const refused = promisify(execFile)(process.execPath, [PROGRAM, '--accounts', '0']);
  await expect(refused).rejects.toThrow(/--accounts.*whole number from 1/);
});

test.each([
  { workload: 'batch', option: '--journal-rate' },
  { workload: 'open', option: '--rate' },
  { workload: 'report', option: '--rate' },
])('$option is refused where workload $workload would not look at it', async (refusal) => {
  const { workload, option } = refusal;
  const programArguments = [PROGRAM, '--workload', workload, option, '100'];
  const refused = promisify(execFile)(process.execPath, programArguments);
  await expect(refused).rejects.toThrow(`no meaning for workload ${workload}`);
});

/** Data folders of servers that are up: the log is there. */
function dataFolders(): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('demo.json'),
  );
}

function exitCodeOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
  });
}
