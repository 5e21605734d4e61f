// The wait for a core, against the kernel's own file and made-up ones.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CoreWait } from '../../../gateway/lane/core-wait.ts';

function readKernelMs(): number {
  return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1_000_000;
}

test('the time of this thread is what the kernel says, and goes on', () => {
  const wait = new CoreWait();
  const before = readKernelMs();
  const read = wait.readMs();
  expect(read).toBeGreaterThanOrEqual(before);
  expect(read).toBeLessThanOrEqual(readKernelMs());
  const endMs = performance.now() + 20;
  while (performance.now() < endMs);
  expect(wait.readMs()).toBeGreaterThanOrEqual(read);
});

test('the second number counts, in nanoseconds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kassa-core-wait-'));
  try {
    const file = join(folder, 'schedstat');
    writeFileSync(file, '184622089 12345678901234 7\n');
    expect(new CoreWait(file).readMs()).toBe(12_345_678.901_234);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a kernel that does not count waits gives none', () => {
  expect(new CoreWait('/proc/no/such/file').readMs()).toBe(0);
});
