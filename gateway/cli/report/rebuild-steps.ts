// The two steps of a rebuild beside a running server: drop the schema, and wait until the server's
// reporter has written it again.
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientBase, DatabaseError } from 'pg';
import {
  NothingReportedError,
  readReportedPosition,
} from '../../../persist/reporting/read-position.ts';
import { PostgresError } from './database.ts';

/** Waiting longer at once would make the reporter and all readers wait behind this. */
const LOCK_TIMEOUT_MS = 2_000;
const LOCK_TRIES = 60;
const RETRY_MS = 1_000;

const POLL_MS = 500;

/** Without any sign of the reporter for this long it will not come. */
const STALLED_MS = 60_000;

/** SQL states of a lock that was not to be had, and of one that had to be given up. */
const LOCK_STATES: readonly string[] = ['55P03', '40P01'];

/** Drops the schema, trying again while its tables are in use. */
export async function dropSchema(client: ClientBase): Promise<void> {
  await client.query(`set lock_timeout = ${LOCK_TIMEOUT_MS}`);
  for (let tries = 1; ; tries += 1) {
    try {
      await client.query('drop schema if exists kassa cascade');
      return;
    } catch (error) {
      const isLock = error instanceof DatabaseError && LOCK_STATES.includes(error.code ?? '');
      if (!isLock) throw error;
      if (tries === LOCK_TRIES) {
        throw new PostgresError(
          `Cannot drop the schema kassa because somebody uses it: ${error.message}, ` +
            `${LOCK_TRIES} times. Nothing was changed. End long queries (pg_stat_activity) and ` +
            'run this again.',
          { cause: error },
        );
      }
    }
    await sleep(RETRY_MS);
  }
}

/** Resolves when the reporter has reached the target position; throws where it does not move. */
export async function waitForPosition(
  client: ClientBase,
  options: {
    readonly target: number;
    readonly signal: AbortSignal;
    readonly onProgress: (position: number) => void;
    readonly stalledMs?: number;
  },
): Promise<void> {
  const { target, signal, onProgress, stalledMs = STALLED_MS } = options;
  let lastPosition = -1;
  let movedAtMs = performance.now();
  while (lastPosition < target) {
    const position = await findPosition(client);
    if (position > lastPosition) {
      lastPosition = position;
      movedAtMs = performance.now();
      onProgress(Math.max(position, 0));
    } else if (performance.now() - movedAtMs > stalledMs) {
      throw new PostgresError(
        `Cannot finish because the server's reporter has not moved for ${stalledMs / 1_000} s: ` +
          `position ${Math.max(lastPosition, 0)} of ${target}. The schema was dropped. Look at ` +
          "the server's log; it writes the reports again as soon as its reporter runs.",
      );
    }
    if (position < target) await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
}

/** −1 while there is no row. */
async function findPosition(client: ClientBase): Promise<number> {
  try {
    return (await readReportedPosition(client)).position;
  } catch (error) {
    if (error instanceof NothingReportedError) return -1;
    throw error;
  }
}
