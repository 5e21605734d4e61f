// The data folder as the commands of the command line use it: it has to be there, they never make
// one, and the server may be running in it.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type FolderLock, FolderLockError, lockFolder } from '../../../persist/folder-lock.ts';
import { UsageError } from '../invocation.ts';

/** Throws a UsageError unless the folder is a data folder. */
export function requireDataFolder(folder: string): void {
  if (existsSync(join(folder, 'identity.json'))) return;
  const found = existsSync(folder) ? 'it has no identity.json' : 'there is none';
  throw new UsageError(
    `Cannot report because KASSA_DATA must name a data folder that a server made: ` +
      `${resolve(folder)}, ${found}. Name the server's own.`,
  );
}

/** Locks the data folder, or returns undefined where another process, the server, holds it. */
export function tryLockFolder(folder: string): FolderLock | undefined {
  requireDataFolder(folder);
  try {
    return lockFolder(folder);
  } catch (error) {
    if (error instanceof FolderLockError && error.message.includes('another process holds')) {
      return undefined;
    }
    throw error;
  }
}
