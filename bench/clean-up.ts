// What a benchmark leaves behind: nothing. Owns the temporary folder and the processes that were
// started, and ends and removes them when the benchmark ends, fails or is interrupted. A SIGKILL of
// the benchmark itself leaves the folder; its children end by themselves (their channel breaks).
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const children = new Set<ChildProcess>();
const folders = new Set<string>();

/** Ends this child, if it still runs, before the benchmark ends. */
export function endWithBenchmark(child: ChildProcess): void {
  children.add(child);
  child.once('exit', () => children.delete(child));
}

/** A new empty folder that is removed when the benchmark ends. */
export function makeTemporaryFolder(parent: string | null): string {
  const folder = mkdtempSync(join(parent ?? tmpdir(), 'kassa-bench-'));
  folders.add(folder);
  return folder;
}

/** Takes signals and the end of the process; called once by an entry. */
export function cleanUpAtEnd(): void {
  for (const [signal, exitCode] of Object.entries(SIGNAL_EXIT_CODES)) {
    process.on(signal, () => process.exit(exitCode));
  }
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL');
    // A server that was just killed may still write a page: try until the folder is gone.
    for (const folder of folders) {
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    }
  });
}
