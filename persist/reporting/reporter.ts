// The reporter: follows the log and keeps Postgres up to date, for as long as it is let. When
// Postgres is slow, full, restarted or gone it waits and tries again; the log keeps everything
// meanwhile. Belongs to a thread of its own, or to the command line's process.
//
// What always holds: whatever happens to the connection, the next one starts from the position that
// Postgres itself has, with memory that is as of there, so each record is reported once. A log that
// does not read as it should stops the process (design law 7); no state of Postgres does.
import { setTimeout as sleep } from 'node:timers/promises';
import { InvariantError } from '../../core/assert.ts';
import { DamagedLogError, UnknownVersionError } from '../log-errors.ts';
import { ReportRefusal, ReportSession } from './report-session.ts';
import type { ReporterSettings } from './reporter-settings.ts';

const FIRST_WAIT_MS = 250;
const WAIT_MS_MAX = 10_000;
/** What only a person can mend is tried again more seldom. */
const REFUSED_WAIT_MS = 30_000;

/** Reports until the signal is given or the wanted position is reached. */
export async function report(settings: ReporterSettings): Promise<void> {
  const { counters, log, signal } = settings;
  let waitMs = FIRST_WAIT_MS;
  while (!signal.aborted) {
    let session: ReportSession | null = null;
    try {
      session = await ReportSession.open(settings);
      const { end, recordCount, contentBytes } = session.position;
      const position = end.blockNumber;
      counters.setUp({ position, timeMs: end.timeMs, recordCount, contentBytes });
      log('info', 'reporting', { position });
      const startedAtMs = performance.now();
      try {
        await session.run();
        return;
      } finally {
        if (performance.now() - startedAtMs > WAIT_MS_MAX) waitMs = FIRST_WAIT_MS;
      }
    } catch (error) {
      if (isFatal(error)) throw error;
      counters.setDown();
      // Before the wait: it holds the reporter's lock in Postgres, and the memory of two snapshots.
      await session?.close();
      session = null;
      const isRefused = error instanceof ReportRefusal;
      if (isRefused && settings.untilPosition !== undefined) throw error;
      const inMs = isRefused ? REFUSED_WAIT_MS : waitMs;
      log(isRefused ? 'error' : 'warn', 'reporting is interrupted', {
        reason: reasonOf(error),
        inMs,
      });
      await sleep(inMs, undefined, { signal }).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, WAIT_MS_MAX);
    } finally {
      counters.setDown();
      await session?.close();
    }
  }
}

/** Errors of the log or of this program, not of Postgres. */
function isFatal(error: unknown): boolean {
  return (
    error instanceof DamagedLogError ||
    error instanceof UnknownVersionError ||
    error instanceof InvariantError ||
    error instanceof TypeError ||
    error instanceof RangeError
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const hint: unknown = Reflect.get(error, 'hint');
  // A connection that every address refused has its reasons inside.
  const inner = error instanceof AggregateError ? error.errors.map(String).join('; ') : '';
  return [error.message, inner, typeof hint === 'string' ? hint : ''].filter(Boolean).join(' ');
}
