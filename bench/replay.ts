// Starts the replay's process over a stopped server's folder and hands on its result.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endWithBenchmark } from './clean-up.ts';
import type { ReportProgress } from './measurement.ts';
import type { ReplayMessage, ReplayResult } from './replay-process.ts';

const PROGRAM = fileURLToPath(new URL('./replay-process.ts', import.meta.url));

/** Replays the log of a data folder that no server has open. */
export function measureReplay(dataFolder: string, report: ReportProgress): Promise<ReplayResult> {
  const child = fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  endWithBenchmark(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      reject(new Error(`Cannot measure because the replay ended with exit code ${code}`));
    });
    child.on('message', (message: ReplayMessage) => {
      if (message.type === 'progress') {
        report('replay', message.bytes, message.bytesTotal);
        return;
      }
      resolve(message.result);
      child.disconnect();
    });
    child.send(dataFolder);
  });
}
