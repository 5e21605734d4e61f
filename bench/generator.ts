// Starts one process of the load generator for one run and hands on what it tells.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { unreachable } from '../core/assert.ts';
import { endWithBenchmark } from './clean-up.ts';
import type { LoadMessage } from './load/load-process.ts';
import type { LoadResult, LoadSettings } from './load/load-run.ts';

const PROGRAM = fileURLToPath(new URL('./load/load-process.ts', import.meta.url));

/** Called while a run goes on. */
export interface GeneratorEvents {
  readonly onProgress?: (transactions: number) => void;
  readonly onWindowOpened?: () => void;
  readonly onWindowClosed?: () => void;
}

/** Runs a load in a process of its own; rejects with its reason if it breaks. */
export function generateLoad(
  settings: LoadSettings,
  events: GeneratorEvents = {},
): Promise<LoadResult> {
  const child = fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  endWithBenchmark(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      reject(new Error(`Cannot measure because the load generator ended with exit code ${code}`));
    });
    child.on('message', (message: LoadMessage) => {
      switch (message.type) {
        case 'progress':
          events.onProgress?.(message.transactions);
          break;
        case 'windowOpened':
          events.onWindowOpened?.();
          break;
        case 'windowClosed':
          events.onWindowClosed?.();
          break;
        case 'finished':
          resolve(message.result);
          child.disconnect();
          break;
        case 'failed':
          reject(new Error(`Cannot measure because the load broke: ${message.reason}`));
          child.disconnect();
          break;
        default:
          unreachable(message);
      }
    });
    child.send(settings);
  });
}
