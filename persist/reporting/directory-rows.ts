// Operators, currencies, providers, games and accounts' statuses: the few rows that a snapshot
// makes or changes beside the mass of them. Belongs to the reporter's thread, inside its
// transaction.
import type { ClientBase } from 'pg';
import type { OperatorCurrency, ReportDirectory, ReportedOperator } from './report-directory.ts';
import type { StatusChange } from './snapshot-builder.ts';

/** What is new in the directory with one snapshot. */
export interface DirectoryChanges {
  readonly currencies: readonly OperatorCurrency[];
  readonly operators: readonly ReportedOperator[];
  readonly providers: readonly (readonly [number: number, name: string])[];
  readonly games: readonly (readonly [number: number, name: string])[];
}

/** Takes out of the directory what is new since the last call. */
export function takeDirectoryChanges(directory: ReportDirectory): DirectoryChanges {
  return {
    currencies: directory.takeFreshCurrencies(),
    operators: directory.takeChanged().map((operator) => ({
      ...operator,
      currencies: [...operator.currencies],
    })),
    providers: directory.providers.takeFresh(),
    games: directory.games.takeFresh(),
  };
}

/** Writes it. */
export async function writeDirectory(client: ClientBase, changes: DirectoryChanges): Promise<void> {
  const { currencies, operators, providers, games } = changes;
  if (currencies.length > 0) {
    await client.query(
      `insert into kassa.currencies (currency_id, code, exponent)
       select * from unnest($1::integer[], $2::text[], $3::smallint[])`,
      [
        currencies.map(({ currencyId }) => currencyId),
        currencies.map(({ code }) => code),
        currencies.map(({ exponent }) => exponent),
      ],
    );
  }
  for (const operator of operators) await writeOperator(client, operator);
  for (const [table, column, rows] of [
    ['providers', 'provider_id', providers],
    ['games', 'game_id', games],
  ] as const) {
    if (rows.length === 0) continue;
    await client.query(
      `insert into kassa.${table} (${column}, name)
       select * from unnest($1::integer[], $2::text[])`,
      [rows.map(([number]) => number), rows.map(([, name]) => name)],
    );
  }
}

/** Sets statuses; the last of an account counts. */
export async function writeStatuses(
  client: ClientBase,
  statusChanges: readonly StatusChange[],
): Promise<void> {
  const last = [...new Map(statusChanges.map((change) => [change.accountId, change])).values()];
  if (last.length === 0) return;
  await client.query(
    `update kassa.account_identities as known
     set status = changed.status, status_position = changed.position
     from unnest($1::integer[], $2::smallint[], $3::bigint[])
       as changed (account_id, status, position)
     where known.account_id = changed.account_id`,
    [
      last.map(({ accountId }) => accountId),
      last.map(({ status }) => status),
      last.map(({ position }) => position),
    ],
  );
}

async function writeOperator(client: ClientBase, operator: ReportedOperator): Promise<void> {
  const { operatorId, name, policies, changedPosition, currencies } = operator;
  await client.query(
    `insert into kassa.operators (operator_id, name, policies, changed_position)
     values ($1, $2, $3, $4)
     on conflict (operator_id) do update set
       policies = excluded.policies, changed_position = excluded.changed_position`,
    [operatorId, name, JSON.stringify(policies), changedPosition],
  );
  await client.query(
    `insert into kassa.operator_currencies (operator_id, number, currency_id)
     select $1, number, currency_id from unnest($2::smallint[], $3::integer[])
       as named (number, currency_id)
     on conflict do nothing`,
    [
      operatorId,
      currencies.map((_, number) => number),
      currencies.map(({ currencyId }) => currencyId),
    ],
  );
}
