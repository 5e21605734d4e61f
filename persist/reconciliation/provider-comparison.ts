// The SQL that compares a provider's list with the journal. All tables are temporary and end with
// the transaction. Ids are matched in the database by hash joins, so a million lines need no index
// and no memory here.
//
//   provider_list ──┐ same id, kind ┌─▶ provider_match ──▶ different, duplicate
//   transactions ───┴───────────────┤
//                                   └─▶ missing (theirs only), extra (ours only, in the range)
import type { ClientBase } from 'pg';
import { assert } from '../../core/assert.ts';
import { Kind } from '../../core/kinds.ts';
import { DAY_MS } from '../../core/limits.ts';
import { ResultCode } from '../../core/result-codes.ts';
import { ListState } from './provider-list.ts';

/** What is compared: the list's table has been filled. */
export interface ComparisonOptions {
  readonly providerId: number;
  /** Null for all operators. */
  readonly operatorId: number | null;
  /** Range of time in which ours are looked for in the list; undefined: that of the matches. */
  readonly range: { readonly from: Date; readonly to: Date } | undefined;
}

/** How a transaction differs: theirs only, ours only, a field, or listed twice. */
export type ProviderSort = 'missing' | 'extra' | 'different' | 'duplicate';

/** What the comparison counted. */
export interface ComparisonCounts {
  readonly matchedCount: number;
  /** Refused or rolled back lines that leave no row with us, as they should. */
  readonly unrecordedCount: number;
  /** Times between which ours were looked for in the list; null where nothing matched. */
  readonly from: string | null;
  readonly to: string | null;
  /** By sort; differing fields are counted one by one. */
  readonly counts: Readonly<Record<ProviderSort, number>>;
}

/** A transaction near midnight may lie on the other side with us. */
const SLACK_MS: number = DAY_MS;

/** Makes the list's table; its columns in the order of LIST_COLUMNS. */
export async function makeListTable(client: ClientBase): Promise<void> {
  await client.query(MAKE_LIST);
}

/** Compares and leaves the differences in the temporary table `provider_result`. */
export async function compareWithJournal(
  client: ClientBase,
  { providerId, operatorId, range }: ComparisonOptions,
): Promise<ComparisonCounts> {
  // Sorts and hashes of a million lines, for this transaction only.
  await client.query(`set local work_mem = '64MB'`);
  await client.query('analyze provider_list');
  const searched = [
    ...[providerId, operatorId],
    range === undefined ? '-infinity' : new Date(range.from.getTime() - SLACK_MS).toISOString(),
    range === undefined ? 'infinity' : new Date(range.to.getTime() + SLACK_MS).toISOString(),
  ];
  await makeFilled(client, 'provider_found', MAKE_FOUND, searched);
  await makeFilled(client, 'provider_reversed', MAKE_REVERSED, searched);
  await makeFilled(client, 'provider_match', MAKE_MATCH, []);
  await client.query(MAKE_RESULT);
  for (const statement of [ADD_MISSING, ADD_DUPLICATES, ADD_DIFFERENT]) {
    await client.query(statement);
  }
  const span = range ?? (await readSpan(client));
  const from = span?.from.toISOString() ?? null;
  const to = span?.to.toISOString() ?? null;
  if (span !== undefined) {
    const kinds = await readKinds(client);
    await client.query(ADD_EXTRA, [providerId, operatorId, from, to, kinds]);
  }
  return {
    ...{ from, to, counts: await readCounts(client) },
    matchedCount: await readCount(client, 'select count(*) from provider_match where place = 1'),
    unrecordedCount: await readCount(client, UNRECORDED),
  };
}

/** The list as it is copied in; `line` first, the order of LIST_COLUMNS. */
const MAKE_LIST = `
  create temporary table provider_list (
    line bigint not null, transaction_id text not null, kind smallint not null,
    of_win boolean not null, player text, round text, amount_minor bigint not null,
    currency text not null, state smallint not null
  ) on commit drop`;

/** Columns in the order in which COPY gets them. */
export const LIST_COLUMNS: string =
  'line, transaction_id, kind, of_win, player, round, amount_minor, currency, state';

/** $1 provider; $2 operator or null; $3 and $4 times between which is searched. */
const OURS = `
  select t.account_id, t.sequence, t.recorded_at, t.kind, t.code,
    (t.flags & 2) <> 0 as of_win, (t.flags & 8) <> 0 as is_noop, t.transaction_id, t.round,
    coalesce(t.amount_minor, nullif(abs(t.cash_moved_minor + t.bonus_moved_minor), 0))
      as amount_minor,
    c.code as currency, i.player, o.name as operator
  from kassa.transactions t
  join kassa.account_identities i using (account_id)
  join kassa.currencies c on c.currency_id = t.currency_id
  join kassa.operators o on o.operator_id = t.operator_id
  where t.provider_id = $1 and ($2::integer is null or t.operator_id = $2)
    and t.recorded_at >= $3 and t.recorded_at < $4 and (t.flags & 128) = 0`;

/** Our rows whose id and kind the list has. */
const MAKE_FOUND = `
  create temporary table provider_found on commit drop as
  select ours.* from (${OURS}) ours
  where (ours.transaction_id, ours.kind, ours.of_win) in (
    select transaction_id, kind, of_win from provider_list)`;

/** Accepted rollbacks of what the list names: also of bets that never came. */
const MAKE_REVERSED = `
  create temporary table provider_reversed on commit drop as
  select distinct t.account_id, i.player, t.reference, (t.flags & 2) <> 0 as of_win
  from kassa.transactions t
  join kassa.account_identities i using (account_id)
  where t.provider_id = $1 and ($2::integer is null or t.operator_id = $2)
    and t.recorded_at >= $3 and t.recorded_at < $4
    and t.kind = ${Kind.rollback} and t.code = ${ResultCode.ok}
    and t.reference in (
      select transaction_id from provider_list where kind in (${Kind.bet}, ${Kind.win}))`;

/**
 * One of ours for each line that has any. Where the list names no players and several have the
 * same id, the one that fits best.
 */
const MAKE_MATCH = `
  create temporary table provider_match on commit drop as
  select m.*, row_number() over (partition by account_id, sequence order by line) as place
  from (
    select distinct on (l.line) l.line, f.*,
      exists (
        select from provider_reversed r
        where r.account_id = f.account_id and r.reference = f.transaction_id
          and r.of_win = (f.kind = ${Kind.win}) and f.kind in (${Kind.bet}, ${Kind.win})
      ) as is_reversed
    from provider_list l
    join provider_found f on f.transaction_id = l.transaction_id and f.kind = l.kind
      and f.of_win = l.of_win and (l.player is null or l.player = f.player)
    order by l.line, f.currency = l.currency desc, f.amount_minor = l.amount_minor desc nulls last,
      f.round is not distinct from l.round desc, f.recorded_at, f.sequence
  ) m`;

/** The time of our rows that the list has: what an unnamed range is taken from. */
const MATCHED_SPAN = `
  select min(recorded_at) as "from", max(recorded_at) + interval '1 microsecond' as "to"
  from provider_match`;

/**
 * Whether a line's state agrees with our outcome. A bet that was refused because its rollback came
 * first (17), and a noop, are rolled back as the provider sees it.
 */
const STATES_AGREE = `case l.state
  when ${ListState.accepted} then m.code = ${ResultCode.ok} and not m.is_noop and not m.is_reversed
  when ${ListState.rejected} then m.code <> ${ResultCode.ok}
  else m.is_noop or m.is_reversed or m.code = ${ResultCode.betRolledBack} end`;

const OUR_STATE = `case when m.is_noop or m.is_reversed or m.code = ${ResultCode.betRolledBack}
    then ${ListState.rolledBack} when m.code <> ${ResultCode.ok} then ${ListState.rejected}
    else ${ListState.accepted} end`;

/** The table of differences. Amounts in minor units, states as ListState, codes as in the log. */
const MAKE_RESULT = `
  create temporary table provider_result (
    sort text not null, line bigint, operator text, player text, round text,
    transaction_id text not null, kind smallint not null, of_win boolean not null, field text,
    their_amount bigint, their_currency text, their_state smallint, their_text text,
    our_amount bigint, our_currency text, our_state smallint, our_code smallint, our_text text
  ) on commit drop`;

const COLUMNS = `sort, line, operator, player, round, transaction_id, kind, of_win, field,
  their_amount, their_currency, their_state, their_text,
  our_amount, our_currency, our_state, our_code, our_text`;

/**
 * Lines that we have not. A refusal that is not recorded (an unknown account) leaves no row, nor
 * does a bet that never came and whose rollback did: such lines are counted by UNRECORDED.
 */
const ADD_MISSING = `
  insert into provider_result (${COLUMNS})
  select 'missing', l.line, null, l.player, l.round, l.transaction_id, l.kind, l.of_win, null,
    l.amount_minor, l.currency, l.state, null, null, null, null, null, null
  from provider_list l
  where not exists (select from provider_match m where m.line = l.line)
    and not (${isUnrecorded('l')})`;

/** Lines that agree with us by leaving no row. */
const UNRECORDED = `
  select count(*) from provider_list l
  where not exists (select from provider_match m where m.line = l.line)
    and (${isUnrecorded('l')})`;

/** Lines that repeat the transaction of an earlier one. */
const ADD_DUPLICATES = `
  insert into provider_result (${COLUMNS})
  select 'duplicate', l.line, m.operator, m.player, coalesce(l.round, m.round), l.transaction_id,
    l.kind, l.of_win, null, l.amount_minor, l.currency, l.state, null,
    m.amount_minor, m.currency, ${OUR_STATE}, m.code, null
  from provider_list l join provider_match m using (line) where m.place > 1`;

/** One row for each field that differs. */
const ADD_DIFFERENT = `
  insert into provider_result (${COLUMNS})
  select 'different', l.line, m.operator, m.player, coalesce(l.round, m.round), l.transaction_id,
    l.kind, l.of_win, d.field, l.amount_minor, l.currency, l.state, l.round,
    m.amount_minor, m.currency, ${OUR_STATE}, m.code, m.round
  from provider_list l join provider_match m using (line)
  cross join lateral (values
    ('currency', l.currency <> m.currency),
    ('amount', l.currency = m.currency and l.amount_minor <> m.amount_minor),
    ('round', l.round is not null and l.round is distinct from m.round
      and not (l.kind = ${Kind.rollback} and m.round is null)),
    ('state', not (${STATES_AGREE}))
  ) as d (field, differs)
  where m.place = 1 and d.differs`;

/**
 * Ours that the list has not; $5 the kinds. A list without any refused line is taken to leave
 * refusals out, one without any rollback to show them by the state of bets and wins.
 */
const ADD_EXTRA = `
  insert into provider_result (${COLUMNS})
  select 'extra', null, m.operator, m.player, m.round, m.transaction_id, m.kind, m.of_win, null,
    null, null, null, null, m.amount_minor, m.currency,
    case when m.code = ${ResultCode.ok} then ${ListState.accepted} else ${ListState.rejected} end,
    m.code, null
  from (${OURS}) m
  where m.kind = any ($5::smallint[])
    and not exists (
      select from provider_match p where p.account_id = m.account_id and p.sequence = m.sequence)
    and (m.code = ${ResultCode.ok}
      or exists (select from provider_list where state = ${ListState.rejected}))
    and (m.kind <> ${Kind.rollback}
      or exists (select from provider_list where kind = ${Kind.rollback}))`;

function isUnrecorded(list: string): string {
  return `${list}.state = ${ListState.rejected} or (${list}.state = ${ListState.rolledBack}
    and exists (
      select from provider_reversed r
      where r.reference = ${list}.transaction_id and r.of_win = (${list}.kind = ${Kind.win})
        and (${list}.player is null or r.player = ${list}.player)))`;
}

/** Utility statements take no parameters, so the values are put into the text as literals. */
async function makeFilled(
  client: ClientBase,
  table: string,
  statement: string,
  values: readonly (string | number | null | undefined)[],
): Promise<void> {
  const text = statement.replaceAll(/\$(\d)/g, (_, place: string) => {
    const value = values[Number(place) - 1];
    if (value === null || value === undefined) return 'null';
    return typeof value === 'number' ? String(value) : `timestamptz '${value}'`;
  });
  await client.query(text);
  await client.query(`analyze ${table}`);
}

async function readSpan(client: ClientBase): Promise<{ from: Date; to: Date } | undefined> {
  const { rows } = await client.query<{ from: Date | null; to: Date | null }>(MATCHED_SPAN);
  const { from = null, to = null } = rows[0] ?? {};
  // JavaScript's times end at milliseconds, as the log's do: the end is rounded up to the next.
  if (from === null || to === null) return undefined;
  return { from, to: new Date(to.getTime() + 1) };
}

/** Bets, wins and rollbacks always, others where the list has them. */
async function readKinds(client: ClientBase): Promise<number[]> {
  const { rows } = await client.query<{ kind: number }>('select distinct kind from provider_list');
  return [...new Set([Kind.bet, Kind.win, Kind.rollback, ...rows.map(({ kind }) => kind)])];
}

async function readCounts(client: ClientBase): Promise<Record<ProviderSort, number>> {
  const counts = { missing: 0, extra: 0, different: 0, duplicate: 0 };
  const { rows } = await client.query<{ sort: ProviderSort; count: string }>(
    'select sort, count(*) from provider_result group by sort',
  );
  for (const { sort, count } of rows) counts[sort] = Number(count);
  return counts;
}

async function readCount(client: ClientBase, text: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(text);
  assert(rows.length === 1, 'a count is one row');
  return Number(rows[0].count);
}
