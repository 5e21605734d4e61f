// The lock that keeps a second process off a data folder: flock on an open descriptor of `lock`.
// The kernel frees it when the process ends, however it ends; a process id in a file would survive,
// and means nothing in another container. Main holds it from before anything is read until the
// exit.
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { assert } from '../core/assert.ts';
import { makeFolder } from './data-folder.ts';
import { ExitCode, type ExitCodeValue } from './exit-codes.ts';

const LOCK_FILE = 'lock';
const FLOCK_TIMEOUT_MS = 10_000;

/** Exit status of flock -n -E when another open file holds the lock. */
const HELD_BY_ANOTHER = 75;

/** The data folder is in use, or cannot be locked. */
export class FolderLockError extends Error {
  override readonly name = 'FolderLockError';
  readonly exitCode: ExitCodeValue = ExitCode.lock;
}

/** A held lock. */
export interface FolderLock {
  /** Gives the lock back; only for tests and tools, the process's end does it too. */
  release(): void;
}

/** Locks the data folder, making it if it is missing; throws a FolderLockError at once if held. */
export function lockFolder(folder: string): FolderLock {
  makeFolder(folder);
  const file = join(folder, LOCK_FILE);
  // Append mode makes the file without truncating what the holder has written about itself.
  const descriptor = openSync(file, 'a+', 0o600);
  try {
    lockDescriptor(descriptor, folder);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  ftruncateSync(descriptor);
  writeSync(descriptor, `process ${process.pid}\n`);
  let isHeld = true;
  return {
    release(): void {
      assert(isHeld, 'a lock is released once');
      isHeld = false;
      closeSync(descriptor);
    },
  };
}

/** The child locks the open file that both share; Node itself has no call for it. */
function lockDescriptor(descriptor: number, folder: string): void {
  const arguments_ = ['-n', '-x', '-E', String(HELD_BY_ANOTHER), '3'];
  const result = spawnSync('flock', arguments_, {
    stdio: ['ignore', 'ignore', 'pipe', descriptor],
    timeout: FLOCK_TIMEOUT_MS,
  });
  if (result.status === 0) return;
  const path = resolve(folder);
  if (result.status === HELD_BY_ANOTHER) {
    const holder = readFileSync(join(folder, LOCK_FILE), 'utf8').trim();
    throw new FolderLockError(
      `Cannot use the data folder ${path} because another process holds its lock: ` +
        `${holder === '' ? 'unknown process' : holder}. Stop it, or name another data folder.`,
    );
  }
  throw new FolderLockError(
    `Cannot lock the data folder ${path} because flock failed: ` +
      `${result.error?.message ?? String(result.stderr).trim()}. It is part of the util-linux ` +
      'package, and the folder must lie on a file system with locks.',
    { cause: result.error },
  );
}
