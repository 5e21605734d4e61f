// The data folder's lock: one process at a time, freed by the kernel.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FolderLockError, lockFolder } from '../../persist/folder-lock.ts';
import { makeTemporaryFolder, removeFolder } from './test-log.ts';

const APPENDING_PROCESS = fileURLToPath(new URL('appending-process.ts', import.meta.url));

let folder = '';

beforeEach(() => {
  folder = makeTemporaryFolder();
});

afterEach(() => removeFolder(folder));

describe('folder lock', () => {
  test('a second process is refused by a message that names folder and holder', () => {
    const lock = lockFolder(folder);
    const second = spawnSync(process.execPath, [APPENDING_PROCESS, folder, '10', '1', '100000'], {
      encoding: 'utf8',
    });
    expect(second.status).not.toBe(0);
    expect(second.stdout).toBe('');
    expect(second.stderr).toContain(`Cannot use the data folder ${folder} because another process`);
    expect(second.stderr).toContain(`process ${process.pid}. Stop it`);
    expect(existsSync(join(folder, 'identity.json'))).toBe(false);
    lock.release();
    const third = spawnSync(process.execPath, [APPENDING_PROCESS, folder, '10', '1', '100000'], {
      encoding: 'utf8',
    });
    expect(third.stdout).toBe('durable 1\n');
  });

  test('a lock is refused inside the same process too, with its own exit code', () => {
    const lock = lockFolder(folder);
    try {
      lockFolder(folder);
      expect.unreachable('the second lock was granted');
    } catch (error) {
      expect(error).toBeInstanceOf(FolderLockError);
      expect(error).toMatchObject({ exitCode: 11 });
    }
    lock.release();
  });

  test('the kernel frees the lock of a process that was killed', async () => {
    const child = spawn(process.execPath, [APPENDING_PROCESS, folder, '10', '0', '100000000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const hasEnded = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(() => lockFolder(folder)).toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await hasEnded;
    lockFolder(folder).release();
  });

  test('a missing folder is made, for its owner only', () => {
    const path = join(folder, 'a', 'b');
    lockFolder(path).release();
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, 'lock')).mode & 0o777).toBe(0o600);
  });
});
