// The Postgres that holds the reports, for the time of one command: KASSA_POSTGRES_URL, else the
// embedded one of the data folder, which runs already or is started and stopped again. Whatever
// ends the command, all that was opened here is closed; only a SIGKILL leaves that to the kernel.
import { existsSync } from 'node:fs';
import { Client, type ClientConfig, DatabaseError } from 'pg';
import { clusterFolderOf } from '../../../persist/postgres/cluster-folder.ts';
import {
  connectionSettings,
  describeConnection,
} from '../../../persist/postgres/connection-settings.ts';
import { EmbeddedCluster } from '../../../persist/postgres/embedded-cluster.ts';
import { findRunningCluster } from '../../../persist/postgres/find-cluster.ts';
import { NothingReportedError } from '../../../persist/reporting/read-position.ts';
import type { Configuration } from '../../configuration.ts';
import { type Invocation, UsageError, untilAborted } from '../invocation.ts';
import { requireDataFolder, tryLockFolder } from './used-folder.ts';

/** A reachable Postgres. */
export interface ReportDatabase {
  readonly connection: ClientConfig;
  /** Host, port and database, for people. */
  readonly place: string;
}

/** Which Postgres, and who asks. */
export interface DatabaseOptions {
  readonly invocation: Invocation;
  readonly configuration: Configuration;
}

/** Postgres cannot be reached or refused something. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
}

const APPLICATION_NAME = 'kassa report';

/** Runs `use` with a client of its own; closes all that was opened when it ends, however. */
export async function withReportClient<T>(
  options: DatabaseOptions,
  use: (client: Client, database: ReportDatabase) => Promise<T>,
): Promise<T> {
  const { postgresUrl, dataFolder } = options.configuration;
  if (postgresUrl !== undefined) return useClient(options, ownServer(postgresUrl), use);
  requireDataFolder(dataFolder);
  const running = findRunningCluster(dataFolder);
  if (running !== undefined) return useClient(options, databaseOf(running), use);
  const lock = tryLockFolder(dataFolder);
  if (lock === undefined) {
    throw new PostgresError(
      `Cannot report because the server that holds ${dataFolder} runs no Postgres: ` +
        'KASSA_REPORTING is off, or it is still starting. Try again, or stop it.',
    );
  }
  try {
    if (!existsSync(clusterFolderOf(dataFolder))) {
      throw new NothingReportedError(
        `Cannot report because ${dataFolder} holds no reports yet. Start the server with ` +
          'KASSA_REPORTING=on, or run: kassa report rebuild',
      );
    }
    return await withEmbedded(options, (database) => useClient(options, database, use));
  } finally {
    lock.release();
  }
}

/** The server of a URL; throws a UsageError for one that cannot be used. */
export function ownServer(postgresUrl: string): ReportDatabase {
  try {
    return databaseOf(connectionSettings(postgresUrl, APPLICATION_NAME));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Runs `use` while the embedded Postgres of the data folder runs. The caller holds the lock. */
export async function withEmbedded<T>(
  { invocation, configuration }: DatabaseOptions,
  use: (database: ReportDatabase) => Promise<T>,
): Promise<T> {
  const { errorOutput, signal } = invocation;
  const ended = Promise.withResolvers<never>();
  // Only a race listens to it; an end that comes while nobody does is no failure.
  ended.promise.catch(() => undefined);
  const cluster = await EmbeddedCluster.start({
    dataFolder: configuration.dataFolder,
    onLine: (line) => {
      if (errorOutput.isTTY === true) errorOutput.write(`${line}\n`);
    },
    onExit: (reason) => ended.reject(new PostgresError(`Cannot go on because ${reason}`)),
  });
  try {
    const database = databaseOf(cluster.connection);
    signal.throwIfAborted();
    // What is used listens to the signal itself: it has something to close first.
    return await Promise.race([use(database), ended.promise]);
  } finally {
    await cluster.stop();
  }
}

/** Connects, runs `use`, and disconnects, which also ends a query that still runs. */
export async function useClient<T>(
  { invocation }: Pick<DatabaseOptions, 'invocation'>,
  database: ReportDatabase,
  use: (client: Client, database: ReportDatabase) => Promise<T>,
): Promise<T> {
  const client = new Client(database.connection);
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  client.on('error', (error) => lost.reject(unreachableError(database, error)));
  try {
    await untilAborted(invocation.signal, connect(client, database));
    const used = Promise.race([use(client, database), lost.promise]);
    return await untilAborted(invocation.signal, used);
  } catch (error) {
    throw error instanceof DatabaseError ? refusalError(error) : error;
  } finally {
    await client.end();
  }
}

async function connect(client: Client, database: ReportDatabase): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    throw unreachableError(database, error);
  }
  // Not every system can: without it a query that nobody waits for is ended by its first row.
  await client.query('set client_connection_check_interval = 2000').catch(() => undefined);
}

function databaseOf(connection: ClientConfig): ReportDatabase {
  return { connection, place: describeConnection(connection) };
}

function unreachableError({ place }: ReportDatabase, error: unknown): PostgresError {
  const reason = error instanceof AggregateError ? String(error.errors[0]) : String(error);
  return new PostgresError(
    `Cannot report because Postgres is not reachable at ${place}: ${reason}. Check that it runs, ` +
      'and KASSA_POSTGRES_URL.',
    { cause: error },
  );
}

function refusalError(error: DatabaseError): PostgresError {
  const hint = error.hint === undefined ? '' : ` ${error.hint}`;
  return new PostgresError(
    `Cannot report because Postgres refused a query: ${error.message} (${error.code}).${hint}`,
    { cause: error },
  );
}
