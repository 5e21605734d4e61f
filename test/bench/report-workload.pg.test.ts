// The workload about Postgres from outside: its figures, and that no Postgres outlives it.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { processesIn } from '../../persist/postgres/cluster-processes.ts';

const PROGRAM = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kassa-report-test-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function argumentsOf(...others: string[]): string[] {
  const load = ['--accounts', '1000', '--warm-up-seconds', '1', '--seconds', '2'];
  const rates = ['--journal-rate', '2000', '--balance-rate', '5000'];
  return [PROGRAM, '--workload', 'report', '--folder', folder, ...load, ...rates, ...others];
}

test('prints what catching up, the lag and its cost to a bet are, and leaves nothing', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    argumentsOf('--log-seconds', '2', '--json'),
  );
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ workload: 'report', accounts: 1_000, failures: [] });
  expect(result.catchUpTransactionsPerSecond).toBeGreaterThan(0);
  expect(result.catchUpTransactions).toBeGreaterThan(0);
  for (const [part, rate] of [['live', 2_000] as const, ['liveBalance', 5_000] as const]) {
    expect(result[`${part}TransactionsPerSecond`]).toBeGreaterThan(0.9 * rate);
    expect(result[`${part}TransactionsPerSecond`]).toBeLessThan(1.1 * rate);
    expect(result[`${part}LagSecondsMax`]).toBeGreaterThanOrEqual(
      result[`${part}LagSecondsMedian`],
    );
    expect(result[`${part}SecondsUntilLagZero`]).toBeGreaterThanOrEqual(0);
    expect(result[`${part}RejectedRows`]).toBe(0);
    expect(result[`${part}P99Ms`]).toBeGreaterThan(0);
    expect(result[`${part}P99MsWithoutReporting`]).toBeGreaterThan(0);
  }
  expect(readdirSync(folder)).toEqual([]);
}, 180_000);

test('an interrupted run ends its Postgres and removes its folder', async () => {
  const bench = spawn(process.execPath, argumentsOf('--log-seconds', '1'), { stdio: 'ignore' });
  const cluster = await findCluster();
  const [postmaster] = await expect
    .poll(() => processesIn(cluster), { timeout: 30_000 })
    .not.toEqual([])
    .then(() => processesIn(cluster));
  bench.kill('SIGINT');
  expect(await exitCodeOf(bench)).toBe(130);
  expect(isPostgres(postmaster)).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
}, 120_000);

/** The first cluster folder that the run makes. */
async function findCluster(): Promise<string> {
  const clusters = () =>
    readdirSync(folder)
      .map((name) => join(folder, name, 'journal', 'postgres'))
      .filter((path) => existsSync(path));
  await expect.poll(() => clusters().length, { timeout: 60_000 }).toBe(1);
  return clusters()[0];
}

function isPostgres(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`).includes('postgres');
  } catch {
    // The process is gone.
    return false;
  }
}

function exitCodeOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
  });
}
