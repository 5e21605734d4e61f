// Databases with the schema of reporting, filled by hand: the embedded PostgreSQL and, where it is
// installed, Debian's PostgreSQL 15. What a test asks is asked of both, and both have to agree.
// Used by tests only; a test's file makes one, and removes it at its end.
import { Client, types } from 'pg';
import { expect } from 'vitest';
import { MIGRATIONS_FOLDER, migrate } from '../../../persist/postgres/migrate.ts';
import { hasDebianPostgres, PostgresServer } from '../../support/postgres-server.ts';

/** A row, by column. */
export type Row = Readonly<Record<string, unknown>>;

const INT8_OID = 20;
const FILLED_TABLES: readonly string[] = [
  ...['reporter_position', 'reporter_sign_of_life', 'operators', 'providers', 'games'],
  ...['operator_currencies', 'account_identities', 'snapshots', 'balance_changes'],
  ...['balance_images', 'system_balances', 'transactions', 'unfinished_rounds', 'turnover'],
];

// Whole numbers below 2^53 as numbers: the tests' own amounts are small.
types.setTypeParser(INT8_OID, Number);

/** The same database on each server. */
export class ReportDatabase {
  readonly #servers: readonly PostgresServer[];
  #clients: Client[] = [];
  #renewCount = 0;

  private constructor(servers: readonly PostgresServer[]) {
    this.#servers = servers;
  }

  /** Starts the servers and applies the migrations to the database that others are copied from. */
  static async start(): Promise<ReportDatabase> {
    const kinds = hasDebianPostgres() ? (['embedded', 'debian'] as const) : (['embedded'] as const);
    const servers = await Promise.all(kinds.map((kind) => PostgresServer.start(kind)));
    const database = new ReportDatabase(servers);
    for (const client of await database.connect('kassa')) {
      await migrate(client, MIGRATIONS_FOLDER);
      await client.end();
    }
    return database;
  }

  /** How many servers are asked. */
  get serverCount(): number {
    return this.#servers.length;
  }

  /** Makes a new database with empty tables on each server, turns to it and returns its name. */
  async renew(): Promise<string> {
    await this.#disconnect();
    this.#renewCount += 1;
    const name = `copy_${this.#renewCount}`;
    for (const admin of await this.connect('postgres')) {
      await admin.query(`create database ${name} template kassa`);
      await admin.end();
    }
    this.#clients = await this.connect(name);
    return name;
  }

  /** Takes out all rows but those that the migrations put in and the partitions' own. */
  async empty(): Promise<void> {
    for (const client of this.#clients) {
      await client.query(`reset role; set timezone = 'UTC'`);
      for (const table of FILLED_TABLES) await client.query(`delete from kassa.${table}`);
    }
  }

  /** Further connections to a database, one a server; the caller ends them. */
  connect(name: string): Promise<Client[]> {
    return Promise.all(
      this.#servers.map(({ url }) => connect(url.replace(/\/kassa$/, `/${name}`))),
    );
  }

  /** The rows of a query; fails if the servers do not agree. */
  async ask(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const [first, ...others] = await Promise.all(
      this.#clients.map((client) => client.query<Row>(text, [...values])),
    );
    for (const other of others) expect(other.rows).toEqual(first.rows);
    return first.rows;
  }

  /** The SQL state that the query fails with; undefined if it does not. */
  async refusal(text: string, values: readonly unknown[] = []): Promise<string | undefined> {
    const states = await Promise.all(
      this.#clients.map((client) =>
        client.query(text, [...values]).then(
          () => undefined,
          (error: unknown) => String(Object(error).code),
        ),
      ),
    );
    expect(new Set(states).size).toBe(1);
    return states[0];
  }

  /** Adds rows to a table of the schema; all have the columns of the first. */
  async insert(table: string, rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const columns = Object.keys(rows[0]);
    const list = columns.join(', ');
    for (const client of this.#clients) {
      await client.query(
        `insert into kassa.${table} (${list})
          select ${list} from json_populate_recordset(null::kassa.${table}, $1)`,
        [JSON.stringify(rows)],
      );
    }
  }

  /** Ends everything. */
  async remove(): Promise<void> {
    await this.#disconnect();
    await Promise.all(this.#servers.map((server) => server.remove()));
  }

  async #disconnect(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()));
    this.#clients = [];
  }
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`set timezone = 'UTC'`);
  return client;
}
