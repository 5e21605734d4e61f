// Which processes work in a cluster folder, seen through /proc. A process belongs to the folder if
// it is a postgres and its working folder is this very folder (device and inode: inside a mount
// namespace the path is another). Nothing else is ever signalled. Called by who keeps
// the cluster, under the data folder's lock, and by others, which only look.
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SOCKET_FILE } from './cluster-socket.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';

/** How long a fast shutdown may take; it writes the shared buffers to disk. */
export const FAST_SHUTDOWN_MS = 10_000;

/** How long an immediate one may take: Postgres itself kills its children after 5 s. */
export const IMMEDIATE_SHUTDOWN_MS = 10_000;

const POLL_MS = 20;

/** Files whose first line is a postmaster's process id. */
const PID_FILES = ['postmaster.pid', `${SOCKET_FILE}.lock`];

/** To whom a process id belongs; `remains` are of a process that ended and was not waited for. */
export type ProcessOwner = 'nobody' | 'remains' | 'this folder' | 'another' | 'unknown';

/** Process id in postmaster.pid; undefined without the file or where it holds no number. */
export function readPostmasterPid(clusterFolder: string): number | undefined {
  return readPid(join(clusterFolder, 'postmaster.pid'));
}

/** Looks a process id up; `unknown` where /proc may not be read. */
export function ownerOf(pid: number, clusterFolder: string): ProcessOwner {
  try {
    const folder = statSync(clusterFolder);
    if (!isSame(statSync(`/proc/${pid}/cwd`), folder)) return 'another';
    return isPostgres(pid) ? 'this folder' : 'another';
  } catch (error) {
    if (!hasCode(error, 'ENOENT') && !hasCode(error, 'ESRCH')) return 'unknown';
    return existsSync(`/proc/${pid}`) ? 'remains' : 'nobody';
  }
}

/**
 * Ends a postmaster that outlived its Kassa, fast first and then at once, and waits until none of
 * its processes is left: a new one would be refused the shared memory. Returns its process id.
 */
export async function endSurvivors(clusterFolder: string): Promise<number | undefined> {
  const pid = readPostmasterPid(clusterFolder);
  const isOurs = pid !== undefined && ownerOf(pid, clusterFolder) === 'this folder';
  const steps: readonly (readonly [NodeJS.Signals, number])[] = [
    ['SIGINT', FAST_SHUTDOWN_MS],
    ['SIGQUIT', IMMEDIATE_SHUTDOWN_MS],
  ];
  for (const [signal, waitMs] of steps) {
    // Asked again before each signal: the number may have been given to another process.
    if (isOurs && ownerOf(pid, clusterFolder) === 'this folder') sendSignal(pid, signal);
    if (await waitUntilEmpty(clusterFolder, waitMs)) return isOurs ? pid : undefined;
  }
  throw new EmbeddedPostgresError(
    `Cannot start the embedded Postgres in ${clusterFolder} because processes of an earlier one ` +
      `do not end: ${processesIn(clusterFolder).join(', ')}. End them, then start again.`,
  );
}

/**
 * Removes lock files whose process id was given to another process since, or that nobody waited
 * for: Postgres asks only whether the number is taken. Those of free numbers it removes itself.
 */
export function removeForeignLocks(clusterFolder: string): void {
  for (const name of PID_FILES) {
    const file = join(clusterFolder, name);
    const pid = readPid(file);
    if (pid === undefined) continue;
    const owner = ownerOf(pid, clusterFolder);
    if (owner === 'another' || owner === 'remains') rmSync(file);
  }
}

/** Ids of all Postgres processes that work in the folder. */
export function processesIn(clusterFolder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => ownerOf(pid, clusterFolder) === 'this folder');
}

/** False if a process still works in the folder when the time is over. */
async function waitUntilEmpty(clusterFolder: string, waitMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + waitMs;
  while (processesIn(clusterFolder).length > 0) {
    if (performance.now() > deadlineMs) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** It may have ended since it was looked at; that is all that was wanted. */
function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

function readPid(file: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const pid = Number.parseInt(text, 10);
  return pid > 0 ? pid : undefined;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && Reflect.get(error, 'code') === code;
}

function isSame(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

/** By the program's file; its link ends in " (deleted)" when the package was replaced since. */
function isPostgres(pid: number): boolean {
  return /^postgres(\b|$)/.test(basename(readlinkSync(`/proc/${pid}/exe`)));
}
