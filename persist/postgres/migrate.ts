// Brings the schema `kassa` of a database to what this program knows: the files of a folder, in
// the order of their numbers, each once. All that are missing run in one transaction under an
// advisory lock of the whole database, so that of two programs that start at once the second finds
// the work done, and a crash leaves the schema as it was. It changes nothing else of the database.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { runner } from 'node-pg-migrate';
import { type ClientBase, DatabaseError } from 'pg';
import { assert } from '../../core/assert.ts';

/** The schema that all of the reporting lies in. */
const SCHEMA = 'kassa';

/** The migrations of reporting, absolute. */
export const MIGRATIONS_FOLDER: string = path.resolve(
  import.meta.dirname,
  '..',
  'reporting',
  'migrations',
);

/** The schema could not be brought to this program's version; the database is as it was. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  /** `newer`: the database is ahead of this program. `failed`: Postgres refused, see the cause. */
  readonly code: 'newer' | 'failed';
  /** The migration that it is about, or none if it failed before the first. */
  readonly migration: string | undefined;

  constructor(
    reason: { readonly code: 'newer' | 'failed'; readonly migration: string | undefined },
    because: string,
    cause?: unknown,
  ) {
    super(`Cannot bring the schema ${SCHEMA} up to date because ${because}`, { cause });
    this.code = reason.code;
    this.migration = reason.migration;
  }
}

/**
 * Applies the migrations that the database does not have yet and returns their names in order;
 * none if it is up to date. The client must be connected, outside a transaction and not in use
 * until this resolves; its search path is what it was at the connection's start afterwards. Waits
 * while another program migrates. Throws MigrationError.
 */
export async function migrate(client: ClientBase, folder: string): Promise<string[]> {
  assert(path.isAbsolute(folder), 'the folder of the migrations is absolute');
  const progress = { migration: undefined as string | undefined };
  try {
    const applied = await runner({
      dbClient: client,
      dir: folder,
      direction: 'up',
      schema: SCHEMA,
      createSchema: true,
      migrationsSchema: SCHEMA,
      migrationsTable: 'migrations',
      singleTransaction: true,
      advisoryLockMode: 'wait',
      checkOrder: true,
      // The package says what it does and nothing else says which file failed.
      log: (line: string) => {
        progress.migration = /^### MIGRATION (\S+)/.exec(line)?.[1] ?? progress.migration;
      },
    });
    await client.query('reset search_path');
    await refuseNewerSchema(client, folder);
    return applied.map(({ name }) => name);
  } catch (error) {
    if (error instanceof MigrationError) throw error;
    throw describeFailure(error, progress.migration);
  }
}

// The runner looks no further than its own files: what another version added behind them it skips.
async function refuseNewerSchema(client: ClientBase, folder: string): Promise<void> {
  const known = new Set((await readdir(folder)).map((file) => path.parse(file).name));
  const { rows } = await client.query<{ name: string }>(
    `select name from ${SCHEMA}.migrations order by id`,
  );
  const unknown = rows.find(({ name }) => !known.has(name));
  if (unknown === undefined) return;
  throw new MigrationError(
    { code: 'newer', migration: unknown.name },
    `it is ahead of this program: it has the migration ${unknown.name}. Start the version of ` +
      'Kassa that made it, or a newer one, or give this one a database of its own.',
  );
}

function describeFailure(error: unknown, migration: string | undefined): MigrationError {
  const reason = error instanceof Error ? error.message : String(error);
  const hint = error instanceof DatabaseError && error.hint !== undefined ? ` ${error.hint}` : '';
  const place = migration === undefined ? 'it failed' : `the migration ${migration} failed`;
  return new MigrationError(
    { code: 'failed', migration },
    `${place}: ${reason}. Nothing was changed.${hint}`,
    error,
  );
}
