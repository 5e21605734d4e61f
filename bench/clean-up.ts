// What a benchmark leaves behind: nothing. Owns the temporary folder and the processes that were
// started, and ends and removes them when the benchmark ends, fails or is interrupted; the embedded
// Postgres of a killed server too. A SIGKILL of the benchmark itself leaves the folder and a server
// that nobody uses; its other children end by themselves (their channel breaks).
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownerOf, processesIn, readPostmasterPid } from '../persist/postgres/cluster-processes.ts';

const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** An immediate shutdown: Postgres kills its own processes after 5 s. */
const POSTGRES_END_MS = 10_000;
const POLL_MS = 20;
const CLUSTER_NAME = 'postgres';

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
    for (const folder of folders) endPostgres(folder);
    // A server that was just killed may still write a page: try until the folder is gone.
    for (const folder of folders) {
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    }
  });
}

/**
 * The Postgres of a server that was killed shuts down by itself, but takes its time and writes a
 * checkpoint into the folder that is being removed. This tells it not to, and waits.
 */
function endPostgres(folder: string): void {
  const clusters = (existsSync(folder) ? readdirSync(folder) : [])
    .map((name) => join(folder, name, CLUSTER_NAME))
    .filter((cluster) => existsSync(cluster));
  for (const cluster of clusters) {
    const postmaster = readPostmasterPid(cluster);
    if (postmaster !== undefined && ownerOf(postmaster, cluster) === 'this folder') {
      endImmediately(postmaster);
    }
    const deadlineMs = performance.now() + POSTGRES_END_MS;
    while (processesIn(cluster).length > 0 && performance.now() < deadlineMs) pause(POLL_MS);
  }
}

function endImmediately(postmaster: number): void {
  try {
    process.kill(postmaster, 'SIGQUIT');
    // One that a measurement made hang hears nothing else.
    process.kill(postmaster, 'SIGCONT');
  } catch {
    // It ended since it was seen, which is what is wanted.
  }
}

/** Without giving way: an exit handler has no later. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
