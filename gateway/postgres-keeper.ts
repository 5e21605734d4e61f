// The entry of the process that keeps the embedded Postgres: starts it when main says so, and again
// whenever it ends by itself. A process of its own and made before the lanes' memory is, since to
// start a program Linux copies the page tables of the process that does it: from a server with
// 2 GB of memory that took 0.1 s, and each page that was written next another microsecond.
// Postgres dies with this process, and this process with main.
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLongSlices } from '../persist/long-slices.ts';
import { EmbeddedCluster } from '../persist/postgres/embedded-cluster.ts';

/** From main to the keeper. */
export type ToKeeper = { readonly type: 'start' } | { readonly type: 'stop' };

/** From the keeper to main: a line for the process's log, or that Postgres answers. */
export type FromKeeper =
  | {
      readonly type: 'line';
      readonly level: 'debug' | 'info' | 'error';
      readonly text: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly type: 'up' };

type Line = Omit<Extract<FromKeeper, { type: 'line' }>, 'type'>;

const FIRST_WAIT_MS = 500;
const WAIT_MS_MAX = 30_000;
/** A cluster that ran for so long did not fail at its start. */
const STEADY_MS = 10_000;

const [dataFolder] = process.argv.slice(2);
const stopping = new AbortController();
let kept: Promise<void> = Promise.resolve();
let cluster: EmbeddedCluster | null = null;

// Postgres inherits them, and so gives way to the lanes as soon as they wake up.
tryLongSlices();
// Whoever means the server means main, which tells this process when it is time.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
// Main is gone, however it went: Postgres gets its parent's death signal, a fast shutdown.
process.on('disconnect', () => process.exit(0));
process.on('message', ({ type }: ToKeeper) => {
  if (type === 'start') kept = keep();
  else void stop();
});

/** Starts the embedded Postgres, and again whenever it ends by itself. */
async function keep(): Promise<void> {
  const { signal } = stopping;
  let waitMs = FIRST_WAIT_MS;
  while (!signal.aborted) {
    let upAtMs = Number.POSITIVE_INFINITY;
    const ended = Promise.withResolvers<string>();
    try {
      cluster = await EmbeddedCluster.start({
        dataFolder,
        onLine: (line) => say({ level: 'debug', text: 'embedded Postgres', fields: { line } }),
        onExit: ended.resolve,
      });
      upAtMs = performance.now();
      say({ level: 'info', text: 'embedded Postgres answers', fields: { process: cluster.pid } });
      if (signal.aborted) return;
      tell({ type: 'up' });
      const reason = await Promise.race([ended.promise, aborted(signal)]);
      if (signal.aborted) return;
      cluster = null;
      const text = 'the embedded Postgres ended; it is started again';
      say({ level: 'error', text, fields: { reason } });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const text = 'reporting is not available';
      say({ level: 'error', text, fields: { reason, inMs: waitMs } });
    }
    if (performance.now() - upAtMs > STEADY_MS) waitMs = FIRST_WAIT_MS;
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    waitMs = Math.min(waitMs * 2, WAIT_MS_MAX);
  }
}

/** Ends Postgres and then this process. */
async function stop(): Promise<void> {
  stopping.abort();
  await kept;
  await cluster?.stop();
  process.exit(0);
}

function aborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('');
    signal.addEventListener('abort', () => resolve(''), { once: true });
  });
}

function say(line: Line): void {
  tell({ type: 'line', ...line });
}

function tell(message: FromKeeper): void {
  // Main may have just gone: `disconnect` follows.
  process.send?.(message, undefined, undefined, () => undefined);
}
