// The workload about Postgres in trouble from outside: its figures, and that nothing outlives it.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
const TROUBLES = ['hanging', 'killed', 'locked'];

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kassa-trouble-test-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('prints what each trouble does to a bet, and that Postgres has everything', async () => {
  const load = ['--accounts', '1000', '--warm-up-seconds', '1', '--seconds', '2', '--rounds', '1'];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[PROGRAM, '--workload', 'trouble', '--folder', folder, '--json', ...load],
    ...['--rate', '1000', '--troubles', ...TROUBLES],
  ]);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ workload: 'trouble', differences: 0, failures: [] });
  // Openings, deposits, and six loads of two seconds at least.
  expect(result.reconciledRecords).toBeGreaterThan(2_000 + 6 * 2_000 * 0.9);
  for (const trouble of TROUBLES) {
    expect(result[`${trouble}P99MsWithout`]).toBeGreaterThan(0);
    expect(result[`${trouble}P99Ms`]).toBeGreaterThan(0);
    expect(result[`${trouble}SecondsUntilLagZeroMax`]).toBeGreaterThan(0);
  }
  expect(Object.keys(result).filter((name) => name.startsWith('stopped'))).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
}, 180_000);
