// Stopping: the first reason decides the code and stays in last-error; everyone who waits is woken.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExitCode } from '../../persist/exit-codes.ts';
import { stopProcess } from '../../persist/fatal.ts';
import {
  allocateStopSignal,
  isStopping,
  stopCode,
  waitForStop,
} from '../../persist/stop-signal.ts';
import { makeTemporaryFolder, removeFolder } from './test-log.ts';

let folder = '';

beforeEach(() => {
  folder = makeTemporaryFolder();
});

afterEach(() => removeFolder(folder));

describe('stopProcess', () => {
  test('the first reason gives code and last-error, later ones change neither', async () => {
    const stop = allocateStopSignal();
    expect(isStopping(stop)).toBe(false);
    const waiting = waitForStop(stop);
    const error = new Error('totals differ', { cause: new Error('EUR 5') });
    stopProcess({ code: ExitCode.invariant, where: 'lane 0', error, dataFolder: folder, stop });
    const later = { code: ExitCode.unexpected, where: 'main', error: 'late' };
    stopProcess({ ...later, dataFolder: folder, stop });
    expect(await waiting).toBe(ExitCode.invariant);
    expect(stopCode(stop)).toBe(ExitCode.invariant);
    const text = readFileSync(join(folder, 'last-error'), 'utf8');
    expect(text).toMatch(/exit code 15: lane 0: Error: totals differ/);
    expect(text).toMatch(/caused by Error: EUR 5/);
    expect(text).not.toContain('late');
  });

  test('a data folder that cannot be written does not keep the process from stopping', () => {
    const stop = allocateStopSignal();
    const dataFolder = join(folder, 'missing');
    stopProcess({ code: ExitCode.commitFailed, where: 'log writer', error: 5, dataFolder, stop });
    expect(stopCode(stop)).toBe(ExitCode.commitFailed);
  });

  test('every reason has an exit code of its own', () => {
    const codes = Object.values(ExitCode);
    expect(new Set(codes).size).toBe(codes.length);
  });
});
