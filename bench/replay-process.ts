// Entry of the replay's process: applies a log to an empty shard, as recovery does, and tells how
// long it took. In a process of its own, so that its memory and CPU time are the replay's alone,
// and with the compiler's settings and the memory that a lane recovers with.

import '../gateway/lane/compiler-settings.ts';
import { Shard } from '../core/shard.ts';
import { warmedMemory } from '../gateway/lane/warmed-memory.ts';
import { logFolderOf, readIdentity } from '../persist/data-folder.ts';
import { replayLog } from '../persist/replay.ts';
import { readFolderBytes, readResidentBytes } from './process-figures.ts';

/** What a replay took. */
export interface ReplayResult {
  readonly records: number;
  readonly blocks: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly logBytes: number;
  readonly residentBytes: number;
  /** '' if the totals over all accounts are zero (rule 35), else the difference. */
  readonly totals: string;
}

/** What the replay tells the benchmark. */
export type ReplayMessage =
  | { readonly type: 'progress'; readonly bytes: number; readonly bytesTotal: number }
  | { readonly type: 'finished'; readonly result: ReplayResult };

function replay(dataFolder: string): ReplayResult {
  const identity = readIdentity(dataFolder);
  const logFolder = logFolderOf(dataFolder);
  const bytesTotal = readFolderBytes(logFolder);
  const hashSeed = Uint8Array.from(Buffer.from(identity.secretHashSeed, 'hex'));
  const shard = new Shard({ shard: 0, hashSeed, memory: warmedMemory() });
  let records = 0;
  let blocks = 0;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  replayLog({
    dataFolder,
    target: shard,
    readOnly: true,
    onProgress: (progress) => {
      records = progress.recordCount;
      blocks = progress.blockCount;
      tell({ type: 'progress', bytes: progress.contentBytes, bytesTotal });
    },
  });
  const seconds = (performance.now() - startMs) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  return {
    records,
    blocks,
    seconds,
    cpuSeconds: (cpu.user + cpu.system) / 1_000_000,
    logBytes: bytesTotal,
    residentBytes: readResidentBytes(process.pid),
    totals: shard.checkTotals(),
  };
}

function tell(message: ReplayMessage): void {
  if (process.connected) process.send?.(message);
}

process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(1));
process.once('message', (dataFolder: string) => {
  tell({ type: 'finished', result: replay(dataFolder) });
});
