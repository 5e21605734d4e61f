// Sums: what a snapshot adds to `turnover`, and the system accounts after it. Belongs to the
// reporter's thread, inside its transaction.
import type { ClientBase } from 'pg';
import type { ReportState } from './report-state.ts';
import type { SnapshotPlace } from './snapshot.ts';
import type { SystemBalances } from './system-book.ts';
import type { TurnoverSums } from './turnover-sums.ts';

/** By tier, from 0: owners and their balances. */
export type SystemChanges = readonly (readonly (readonly [
  owner: number,
  balances: SystemBalances,
])[])[];

const ADD_TURNOVER = `
  insert into kassa.turnover as known
  select to_timestamp(minute_ms::double precision / 1000), operator_id, provider_id, game_id,
    currency_id, kind, of_win, accepted_count, refused_count, cash, bonus, held
  from unnest($1::bigint[], $2::integer[], $3::integer[], $4::integer[], $5::integer[],
    $6::smallint[], $7::boolean[], $8::bigint[], $9::bigint[], $10::numeric[], $11::numeric[],
    $12::numeric[])
    as added (minute_ms, operator_id, provider_id, game_id, currency_id, kind, of_win,
      accepted_count, refused_count, cash, bonus, held)
  on conflict (minute, operator_id, provider_id, game_id, currency_id, kind, of_win)
  do update set
    accepted_count = known.accepted_count + excluded.accepted_count,
    refused_count = known.refused_count + excluded.refused_count,
    cash_moved_minor = known.cash_moved_minor + excluded.cash_moved_minor,
    bonus_moved_minor = known.bonus_moved_minor + excluded.bonus_moved_minor,
    held_moved_minor = known.held_moved_minor + excluded.held_moved_minor`;

/** Adds the counts and sums of a snapshot. */
export async function writeTurnover(
  client: ClientBase,
  { directory }: ReportState,
  turnover: TurnoverSums,
): Promise<void> {
  const rows = [...turnover.rows()];
  if (rows.length === 0) return;
  await client.query(ADD_TURNOVER, [
    rows.map(({ minuteMs }) => minuteMs),
    rows.map(({ owner }) => owner >>> 8),
    rows.map(({ provider }) => provider),
    rows.map(({ gameId }) => gameId),
    rows.map(({ owner }) => directory.currencyOf(owner).currencyId),
    rows.map(({ kind }) => kind),
    rows.map(({ ofWin }) => ofWin),
    rows.map(({ acceptedCount }) => acceptedCount),
    rows.map(({ refusedCount }) => refusedCount),
    rows.map(({ cash }) => cash.value.toString()),
    rows.map(({ bonus }) => bonus.value.toString()),
    rows.map(({ held }) => held.value.toString()),
  ]);
}

const ADD_SYSTEM = `
  insert into kassa.system_balances
    (tier, recorded_at, snapshot_id, operator_id, currency_id, house_minor, cashier_minor,
      bonus_fund_minor, adjustments_minor, transit_minor)
  select tier, to_timestamp($1::double precision / 1000), $2, operator_id, currency_id, house,
    cashier, bonus_fund, adjustments, transit
  from unnest($3::smallint[], $4::integer[], $5::integer[], $6::numeric[], $7::numeric[],
    $8::numeric[], $9::numeric[], $10::numeric[])
    as added (tier, operator_id, currency_id, house, cashier, bonus_fund, adjustments, transit)`;

/** Adds the balances of the system accounts that changed, by tier. */
export async function writeSystem(
  client: ClientBase,
  { directory }: ReportState,
  place: SnapshotPlace,
  system: SystemChanges,
): Promise<void> {
  const rows = system.flatMap((owners, tier) =>
    owners.map(([owner, balances]) => ({ tier, owner, balances })),
  );
  if (rows.length === 0) return;
  await client.query(ADD_SYSTEM, [
    place.timeMs,
    place.snapshotId,
    rows.map(({ tier }) => tier),
    rows.map(({ owner }) => owner >>> 8),
    rows.map(({ owner }) => directory.currencyOf(owner).currencyId),
    ...[0, 1, 2, 3, 4].map((account) => rows.map(({ balances }) => balances[account].toString())),
  ]);
}
