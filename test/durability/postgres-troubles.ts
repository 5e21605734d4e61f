// What can be wrong with a Postgres server for some seconds, each with its end: after it the server
// is as it was. Used by tests on a server of their own.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { PostgresServer } from '../support/postgres-server.ts';

/** Where the trouble happens, and for how long. */
export interface TroublePlace {
  readonly server: PostgresServer;
  /** The reporter's database, as superuser. */
  readonly url: string;
  readonly troubleMs: number;
}

/** One kind of trouble. */
export interface Trouble {
  /** Completes "while Postgres …". */
  readonly name: string;
  /** Whether the reporter loses its connection; else it only waits. */
  readonly breaksConnections: boolean;
  /** Postgres falls behind by this share of the trouble's time at least. */
  readonly lagShareMin: number;
  /** Resolves when the trouble is over. */
  readonly run: (place: TroublePlace) => Promise<void>;
}

const RESTARTS = 4;
/** Less than the reporter waits before it tries again, */
const FILL_PAUSE_MS = 100;
/** and the time after which no place can become free any more. */
const FILL_MS = 500;

/** All of them. */
export const TROUBLES: readonly Trouble[] = [
  {
    ...{ name: 'is stopped and started again', breaksConnections: true },
    ...{ lagShareMin: 0.8, run: stopAndStart },
  },
  {
    ...{ name: 'is killed and started again', breaksConnections: true },
    ...{ lagShareMin: 0.8, run: killAndStart },
  },
  {
    ...{ name: 'has its tables locked', breaksConnections: false },
    ...{ lagShareMin: 0.8, run: lockTables },
  },
  {
    ...{ name: 'is out of connections', breaksConnections: true },
    ...{ lagShareMin: 0.8, run: takeConnections },
  },
  {
    // In a pause it may catch up.
    ...{ name: 'is restarted again and again', breaksConnections: true },
    ...{ lagShareMin: 0.1, run: restartOften },
  },
];

/** Connects as somebody else than the reporter; a server that goes does not end the test. */
export async function openSession(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** SIGKILL for the postmaster and each of its processes. */
export async function killAll(server: PostgresServer): Promise<void> {
  const { pid } = server;
  if (pid === undefined) throw new Error('the server to be killed does not run');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  for (const each of [pid, ...children.split(' ').filter(Boolean).map(Number)]) {
    try {
      process.kill(each, 'SIGKILL');
    } catch (error) {
      // It has ended since; the postmaster cannot have, its parent has not waited for it.
      if (Reflect.get(Object(error), 'code') !== 'ESRCH') throw error;
    }
  }
  await server.kill();
}

/**
 * Takes the locks that keep the reporter from writing, in its own order, else Postgres would end
 * one of the two for a deadlock. Given back when the client ends.
 */
export async function lockReports(url: string): Promise<Client> {
  const client = await openSession(url);
  await client.query('begin');
  await client.query(
    'lock table kassa.reporter_position, kassa.transactions in access exclusive mode',
  );
  return client;
}

async function stopAndStart({ server, troubleMs }: TroublePlace): Promise<void> {
  await server.stop();
  await sleep(troubleMs);
  await server.restart();
}

async function killAndStart({ server, troubleMs }: TroublePlace): Promise<void> {
  await killAll(server);
  await sleep(troubleMs);
  await server.restart();
}

async function lockTables({ url, troubleMs }: TroublePlace): Promise<void> {
  const client = await lockReports(url);
  await sleep(troubleMs);
  await client.end();
}

/** Takes every connection, the reporter's too, and those that are kept for superusers. */
async function takeConnections({ url, troubleMs }: TroublePlace): Promise<void> {
  const sessions = [await openSession(url)];
  try {
    await fill(url, sessions);
    await sessions[0].query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'kassa reporter'`,
    );
    const startMs = performance.now();
    while (performance.now() - startMs < FILL_MS) {
      await fill(url, sessions);
      await sleep(FILL_PAUSE_MS);
    }
    await sleep(startMs + troubleMs - performance.now());
  } finally {
    await Promise.all(sessions.map((session) => session.end()));
  }
}

/** Opens sessions until one is refused. */
async function fill(url: string, sessions: Client[]): Promise<void> {
  for (;;) {
    try {
      sessions.push(await openSession(url));
    } catch (error) {
      if (Reflect.get(Object(error), 'code') === '53300') return;
      throw error;
    }
  }
}

async function restartOften({ server, troubleMs }: TroublePlace): Promise<void> {
  for (let count = 0; count < RESTARTS; count += 1) {
    await server.restart();
    await sleep(troubleMs / RESTARTS);
  }
}
