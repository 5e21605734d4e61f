// The rounds that are open: what a snapshot adds to `unfinished_rounds` and takes out. Belongs to
// the reporter's thread, inside its transaction.
import type { ClientBase } from 'pg';
import type { ReportState } from './report-state.ts';
import type { RoundOpening } from './round-changes.ts';
import { hashOfName, type RoundName, roundKeyFrom, roundKeyText } from './round-name.ts';

const END_ROUNDS = `
  delete from kassa.unfinished_rounds
  using unnest($1::integer[], $2::integer[], $3::text[])
    as ended (account_id, provider_id, round_key)
  where unfinished_rounds.account_id = ended.account_id
    and unfinished_rounds.provider_id = ended.provider_id
    and unfinished_rounds.round_key = ended.round_key
  returning unfinished_rounds.account_id, unfinished_rounds.provider_id,
    unfinished_rounds.round_key`;

/** Takes out the rounds that ended, as far as they are there. */
export async function endRounds(
  client: ClientBase,
  state: ReportState,
  ended: readonly RoundName[],
): Promise<void> {
  if (ended.length === 0) return;
  const { rows } = await client.query<RoundColumns>(END_ROUNDS, [
    ended.map(({ accountId }) => accountId),
    ended.map(({ providerId }) => providerId),
    ended.map(({ roundKey }) => roundKeyText(roundKey)),
  ]);
  for (const row of rows) state.openRounds.remove(hashOfRow(row));
}

// A bet is only accepted in a round that is open. A win may also come late to one that was closed
// by age, and a `noop` bet to any closed one; the journal knows these.
const OPEN_ROUNDS = `
  insert into kassa.unfinished_rounds
    (shard, opened_sequence, opened_position, opened_at, account_id, provider_id, round_key,
      game_id)
  select shard, opened_sequence, opened_position,
    to_timestamp(opened_at_ms::double precision / 1000), account_id, provider_id, round_key,
    nullif(game_id, 0)
  from unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[],
    $6::integer[], $7::text[], $8::integer[], $9::boolean[])
    as opened (shard, opened_sequence, opened_position, opened_at_ms, account_id, provider_id,
      round_key, game_id, may_be_late)
  where not exists (
      select from kassa.unfinished_rounds as known
      where known.account_id = opened.account_id and known.provider_id = opened.provider_id
        and known.round_key = opened.round_key)
    and (not may_be_late or not exists (
      select from kassa.transactions as closing
      where closing.account_id = opened.account_id
        and closing.provider_id is not distinct from nullif(opened.provider_id, 0)
        and case closing.kind
          when 32 then opened.round_key = coalesce('r' || closing.round,
            case when closing.flags & 2 <> 0 then 'w' else 'b' end || closing.reference)
          else closing.kind in (3, 4) and closing.code = 0 and closing.flags & 1 <> 0
            and opened.round_key = 'r' || closing.round end))
  on conflict do nothing
  returning account_id, provider_id, round_key`;

/** Adds those that are open after a snapshot. */
export async function openRounds(
  client: ClientBase,
  state: ReportState,
  opened: readonly RoundOpening[],
): Promise<void> {
  if (opened.length === 0) return;
  const { rows } = await client.query<RoundColumns>(OPEN_ROUNDS, [
    opened.map(({ shard }) => shard),
    opened.map(({ openedSequence }) => openedSequence),
    opened.map(({ openedPosition }) => openedPosition),
    opened.map(({ openedAtMs }) => openedAtMs),
    opened.map(({ accountId }) => accountId),
    opened.map(({ providerId }) => providerId),
    opened.map(({ roundKey }) => roundKeyText(roundKey)),
    opened.map(({ gameId }) => gameId),
    opened.map(({ mayBeLate }) => mayBeLate),
  ]);
  if (rows.length === opened.length) return;
  // Those that Postgres had already, or that were closed by age, were counted for nothing.
  const added = new Map<number, number>();
  for (const hash of rows.map(hashOfRow)) added.set(hash, (added.get(hash) ?? 0) + 1);
  for (const hash of opened.map(hashOfName)) {
    const count = added.get(hash) ?? 0;
    if (count === 0) state.openRounds.remove(hash);
    else added.set(hash, count - 1);
  }
}

/** A round as Postgres names it. */
export interface RoundColumns {
  readonly account_id: number;
  readonly provider_id: number;
  readonly round_key: string;
}

/** How the filter of open rounds knows a round of Postgres. */
export function hashOfRow({ account_id, provider_id, round_key }: RoundColumns): number {
  const roundKey = roundKeyFrom(round_key);
  return hashOfName({ accountId: account_id, providerId: provider_id, roundKey });
}
