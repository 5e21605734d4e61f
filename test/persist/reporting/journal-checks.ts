// Whether the journal and the sums made of it say what was played: a row for each record, turnover
// by minute, and gross gaming revenue by game, each made anew from the expected rows. Tests only.
import type { Client } from 'pg';
import { expect } from 'vitest';
import type { ExpectedRow } from './expected-journal.ts';
import { expectSame } from './report-checks.ts';
import type { ReportedPlay } from './reported-play.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const ROUND_AGED = 32;
const HOLD_EXPIRED = 33;
const PLAY_KINDS = [3, 4, 5];

const JOURNAL = `
  select sequence, position, (extract(epoch from recorded_at) * 1000)::bigint as time_ms,
    kind, transactions.code, flags & 128 <> 0 as is_received, flags & 8 <> 0 as is_noop,
    flags & 2 <> 0 as of_win,
    operators.name as operator, player, currencies.code as currency, providers.name as provider,
    games.name as game, round, transaction_id, reference, amount_minor,
    cash_moved_minor, bonus_moved_minor, held_moved_minor, cash_minor, bonus_minor, held_minor,
    convert_from(metadata, 'UTF8') as metadata
  from kassa.transactions
  left join kassa.account_identities using (account_id)
  left join kassa.operators on operators.operator_id = transactions.operator_id
  left join kassa.currencies on currencies.currency_id = transactions.currency_id
  left join kassa.providers using (provider_id)
  left join kassa.games using (game_id)
  where sequence > $1
  order by sequence, flags & 128`;

/** One row for each record and each receiver, and nothing else. */
export async function expectJournal(client: Client, play: ReportedPlay): Promise<void> {
  const { rows } = await client.query<Record<string, unknown>>(JOURNAL, [play.ownRecords]);
  const expected = play.journal.rows;
  const found = rows.map((row) => Object.values(row));
  for (const [place, row] of expected.entries()) {
    expectSame(found.slice(place, place + 1), [columnsOf(row, play, found[place])]);
  }
  expect(rows.length).toBe(expected.length);
  const own = await client.query('select from kassa.transactions where sequence <= $1', [
    play.ownRecords,
  ]);
  expect(own.rowCount).toBe(play.ownRecords);
}

/** A row as the query has it; what the model does not know is taken from the row that was found. */
function columnsOf(row: ExpectedRow, play: ReportedPlay, found: readonly unknown[]): unknown[] {
  const isHoldExpiry = row.kind === HOLD_EXPIRED;
  const isEvent = isHoldExpiry || row.kind === ROUND_AGED;
  // The model does not tell the other buckets of a receiver.
  const after = row.isReceived ? [row.after[0], found[21], found[22]] : row.after;
  return [
    ...[row.sequence, play.positionOf(row.sequence), row.timeMs, row.kind, row.code],
    ...[row.isReceived, row.isNoop, row.ofWin, row.operator, row.player, row.currency],
    ...[isHoldExpiry ? found[11] : row.provider, row.game, row.round, row.transactionId],
    ...[row.reference, isEvent ? found[16] : row.amount, ...row.moved, ...after, row.metadata],
  ];
}

type Sums = [accepted: number, refused: number, cash: bigint, bonus: bigint, held: bigint];

/** Turnover by minute equals sums over the expected rows, and over the journal itself. */
export async function expectTurnover(client: Client, play: ReportedPlay): Promise<void> {
  const expected = new Map<string, Sums>();
  for (const row of play.journal.rows) {
    const { kind, isNoop, isReceived, moved, code } = row;
    if (isNoop || isReceived || (kind > 13 && kind !== HOLD_EXPIRED)) continue;
    const minuteMs = row.timeMs - (row.timeMs % MINUTE_MS);
    // The record of an expiry names no provider.
    const provider = kind === HOLD_EXPIRED ? null : row.provider;
    const names = [row.operator, provider, row.game, row.currency, kind, row.ofWin];
    const key = JSON.stringify([minuteMs, ...names]);
    const [accepted, refused, cash, bonus, held] = expected.get(key) ?? [0, 0, 0n, 0n, 0n];
    const [cashMoved, bonusMoved, heldMoved] = moved.map(BigInt);
    const isRefused = code !== 0;
    expected.set(
      key,
      isRefused
        ? [accepted, refused + 1, cash, bonus, held]
        : [accepted + 1, refused, cash + cashMoved, bonus + bonusMoved, held + heldMoved],
    );
  }
  const { rows } = await client.query<unknown[]>({ text: TURNOVER, rowMode: 'array' });
  const found = rows.map((row) => [JSON.stringify(row.slice(0, 7)), ...row.slice(7).map(String)]);
  const wanted = [...expected].map(([key, sums]) => [key, ...sums.map(String)]);
  expectSame(found.sort(byKey), wanted.sort(byKey));
  const { rows: differing } = await client.query(TURNOVER_AGAINST_JOURNAL);
  expectSame(differing, []);
}

const TURNOVER = `
  select (extract(epoch from minute) * 1000)::bigint, operators.name,
    case when kind <> ${HOLD_EXPIRED} then providers.name end, games.name, currencies.code,
    kind, of_win, accepted_count, refused_count,
    cash_moved_minor, bonus_moved_minor, held_moved_minor
  from kassa.turnover
  join kassa.operators using (operator_id)
  join kassa.currencies using (currency_id)
  left join kassa.providers using (provider_id)
  left join kassa.games using (game_id)`;

const TURNOVER_AGAINST_JOURNAL = `
  with summed as (
    select date_trunc('minute', recorded_at) as minute, operator_id,
      coalesce(provider_id, 0) as provider_id, coalesce(game_id, 0) as game_id, currency_id, kind,
      kind = 5 and flags & 2 <> 0 as of_win, count(*) filter (where code = 0) as accepted_count,
      count(*) filter (where code <> 0) as refused_count, sum(cash_moved_minor) as cash,
      sum(bonus_moved_minor) as bonus, sum(held_moved_minor) as held
    from kassa.transactions
    where (kind <= 13 or kind = ${HOLD_EXPIRED}) and flags & 136 = 0
    group by 1, 2, 3, 4, 5, 6, 7
  )
  select * from summed full join kassa.turnover as known
    using (minute, operator_id, provider_id, game_id, currency_id, kind, of_win)
  where (summed.accepted_count, summed.refused_count, cash, bonus, held) is distinct from
    (known.accepted_count, known.refused_count, cash_moved_minor, bonus_moved_minor,
      held_moved_minor)`;

/** Gross gaming revenue by day and game. */
export async function expectGgr(client: Client, play: ReportedPlay): Promise<void> {
  const expected = new Map<string, bigint>();
  for (const row of play.journal.rows) {
    if (!PLAY_KINDS.includes(row.kind) || row.isNoop) continue;
    const day = new Date(row.timeMs - (row.timeMs % DAY_MS)).toISOString().slice(0, 10);
    const key = JSON.stringify([day, row.operator, row.provider, row.game, row.currency]);
    const moved = BigInt(row.moved[0]) + BigInt(row.moved[1]);
    expected.set(key, (expected.get(key) ?? 0n) - moved);
  }
  const { rows } = await client.query<unknown[]>({
    text: `
      select day::text, total.operator, total.provider, total.game, total.currency,
        (ggr * 10::numeric ^ currencies.exponent)::numeric(38, 0)
      from kassa.turnover_by_game as total
      join kassa.operators on operators.name = total.operator
      join kassa.operator_currencies using (operator_id)
      join kassa.currencies on currencies.currency_id = operator_currencies.currency_id
        and currencies.code = total.currency`,
    rowMode: 'array',
  });
  const found = rows.map((row) => [JSON.stringify(row.slice(0, 5)), String(row[5])]);
  const wanted = [...expected].map(([key, sum]) => [key, String(sum)]);
  expectSame(found.sort(byKey), wanted.sort(byKey));
}

function byKey(one: readonly unknown[], other: readonly unknown[]): number {
  return String(one[0]) < String(other[0]) ? -1 : 1;
}
