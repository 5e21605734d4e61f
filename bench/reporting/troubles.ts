// What can be wrong with the embedded Postgres of a server for some seconds. Each begins with a
// function that returns its end, after which Postgres is as it was, or Kassa starts it again.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { clusterFolderOf } from '../../persist/postgres/cluster-folder.ts';
import {
  ownerOf,
  processesIn,
  readPostmasterPid,
} from '../../persist/postgres/cluster-processes.ts';
import { findRunningCluster } from '../../persist/postgres/find-cluster.ts';

/** One kind of trouble. */
export interface Trouble {
  /** Completes "while Postgres …"; the figures' names begin with it. */
  readonly name: string;
  /** Begins it in a data folder; what it returns ends it. */
  readonly begin: (dataFolder: string) => Promise<() => Promise<void>>;
}

/** Postgres in trouble is looked at so often. */
const POLL_MS = 20;
/** The reporter tries again 250 ms after it lost its connection: by then all are taken. */
const FILL_PAUSE_MS = 50;
const FILLS = 10;
const CONNECTIONS_EXHAUSTED = '53300';

/** All of them. */
export const TROUBLES: readonly Trouble[] = [
  { name: 'stopped', begin: keepEnding },
  { name: 'hanging', begin: hang },
  { name: 'killed', begin: (dataFolder) => signalOnce(dataFolder, 'SIGKILL') },
  { name: 'restarted', begin: (dataFolder) => signalOnce(dataFolder, 'SIGINT') },
  { name: 'locked', begin: lockTables },
  { name: 'outOfConnections', begin: takeConnections },
];

/** Connects to the embedded Postgres of a running server, as its owner. */
export async function connectTo(dataFolder: string): Promise<pg.Client> {
  const connection = findRunningCluster(dataFolder);
  if (connection === undefined) throw new Error(`no Postgres runs in ${dataFolder}`);
  const client = new pg.Client(connection);
  // One that breaks while nothing is asked is part of the trouble.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Ends each Postgres that Kassa starts, as soon as it is seen. */
async function keepEnding(dataFolder: string): Promise<() => Promise<void>> {
  const cluster = clusterFolderOf(dataFolder);
  let isOver = false;
  const ending = (async () => {
    while (!isOver) {
      signal(postmasterOf(cluster), 'SIGQUIT');
      await sleep(POLL_MS);
    }
  })();
  return async () => {
    isOver = true;
    await ending;
  };
}

/** Neither answers nor refuses. */
async function hang(dataFolder: string): Promise<() => Promise<void>> {
  const pids = processesIn(clusterFolderOf(dataFolder));
  for (const pid of pids) signal(pid, 'SIGSTOP');
  return async () => {
    for (const pid of pids) signal(pid, 'SIGCONT');
  };
}

/** Kassa starts it again by itself. */
async function signalOnce(
  dataFolder: string,
  name: 'SIGKILL' | 'SIGINT',
): Promise<() => Promise<void>> {
  const cluster = clusterFolderOf(dataFolder);
  const pids = name === 'SIGKILL' ? processesIn(cluster) : [postmasterOf(cluster)];
  for (const pid of pids) signal(pid, name);
  return async () => undefined;
}

/** In the reporter's own order, else Postgres would end one of the two for a deadlock. */
async function lockTables(dataFolder: string): Promise<() => Promise<void>> {
  const client = await connectTo(dataFolder);
  await client.query('begin');
  await client.query(
    'lock table kassa.reporter_position, kassa.transactions in access exclusive mode',
  );
  return () => client.end();
}

/** Every connection, the reporter's too, and those that are kept for superusers. */
async function takeConnections(dataFolder: string): Promise<() => Promise<void>> {
  const clients = [await connectTo(dataFolder)];
  await fill(dataFolder, clients);
  await clients[0].query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'kassa reporter'`,
  );
  for (let count = 0; count < FILLS; count += 1) {
    await fill(dataFolder, clients);
    await sleep(FILL_PAUSE_MS);
  }
  return async () => {
    await Promise.all(clients.map((client) => client.end()));
  };
}

/** Opens connections until one is refused. */
async function fill(dataFolder: string, clients: pg.Client[]): Promise<void> {
  for (;;) {
    try {
      clients.push(await connectTo(dataFolder));
    } catch (error) {
      if (Reflect.get(Object(error), 'code') === CONNECTIONS_EXHAUSTED) return;
      throw error;
    }
  }
}

/** A file that a killed one left may name somebody else's process. */
function postmasterOf(cluster: string): number | undefined {
  const pid = readPostmasterPid(cluster);
  return pid !== undefined && ownerOf(pid, cluster) === 'this folder' ? pid : undefined;
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, name);
  } catch {
    // It ended since it was seen.
  }
}
