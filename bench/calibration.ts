// What the machine does in this minute without Kassa: a flush of 64 KiB, and frames through an
// empty server. Figures of different half-hours differ by 30 % here, so a result is compared by
// these.
import { fork } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithBenchmark } from './clean-up.ts';
import { generateLoad } from './generator.ts';

/** Figures of the machine, taken beside a result. */
export interface Calibration {
  /** Median time of a write and fdatasync of 64 KiB to a preallocated file. */
  readonly fdatasync64KiBMs: number;
  /** Frames of one transaction through an empty uWebSockets server and back, 1,024 in flight. */
  readonly echoFramesPerSecond: number;
}

const FLUSH_BYTES = 65_536;
const FLUSH_COUNT = 300;
const ECHO_SECONDS = 2;
const ECHO_PROGRAM = fileURLToPath(new URL('./echo-server.ts', import.meta.url));

/** Takes both figures; about four seconds. */
export async function calibrate(folder: string): Promise<Calibration> {
  return {
    fdatasync64KiBMs: measureFlush(folder),
    echoFramesPerSecond: await measureEcho(),
  };
}

function measureFlush(folder: string): number {
  const path = join(folder, 'calibration');
  const content = Buffer.alloc(FLUSH_BYTES, 0x5a);
  const descriptor = openSync(path, 'w+');
  try {
    for (let part = 0; part < FLUSH_COUNT; part += 1) writeSync(descriptor, content);
    fdatasyncSync(descriptor);
    const timesMs: number[] = [];
    for (let part = 0; part < FLUSH_COUNT; part += 1) {
      const startMs = performance.now();
      writeSync(descriptor, content, 0, FLUSH_BYTES, part * FLUSH_BYTES);
      fdatasyncSync(descriptor);
      timesMs.push(performance.now() - startMs);
    }
    return timesMs.sort((left, right) => left - right)[FLUSH_COUNT >>> 1];
  } finally {
    closeSync(descriptor);
    unlinkSync(path);
  }
}

async function measureEcho(): Promise<number> {
  const server = fork(ECHO_PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  endWithBenchmark(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.once('message', (message) => resolve(Number(message)));
    server.once('exit', () => reject(new Error('Cannot calibrate: the echo server ended')));
  });
  try {
    const result = await generateLoad({
      workload: 'echo',
      host: '127.0.0.1',
      port,
      key: 'none',
      currency: 'EUR',
      connectionCount: 16,
      framesInFlight: 64,
      frameTransactions: 1,
      accountCount: 1_000,
      idBytes: 36,
      seed: 1,
      run: 0,
      runCount: 1,
      ratePerSecond: null,
      warmUpSeconds: 1,
      seconds: ECHO_SECONDS,
    });
    return result.transactions / result.seconds;
  } finally {
    server.disconnect();
  }
}
