-- The journal to read: with names, words and major units; one player's statement; rounds. An
-- account's records are found by the index on (account_id, sequence) of each partition; a
-- condition on recorded_at leaves out the days beside it.

-- Up Migration

create view kassa.journal as
select record.recorded_at, record.position, record.sequence, record.shard,
  kassa.kind_name(record.kind) as kind, kassa.code_name(record.code) as code,
  record.code = 0 as accepted,
  operator.name as operator, one.player, currency.code as currency,
  provider.name as provider, game.name as game, record.round,
  record.transaction_id, record.reference,
  kassa.major(record.amount_minor, currency.exponent) as amount,
  kassa.major(record.cash_moved_minor, currency.exponent) as cash_moved,
  kassa.major(record.bonus_moved_minor, currency.exponent) as bonus_moved,
  kassa.major(record.held_moved_minor, currency.exponent) as held_moved,
  kassa.major(record.cash_minor, currency.exponent) as cash,
  kassa.major(record.bonus_minor, currency.exponent) as bonus,
  kassa.major(record.held_minor, currency.exponent) as held,
  record.flags & 1 <> 0 as round_end,
  record.flags & 2 <> 0 as of_win,
  record.flags & 4 <> 0 as stakeless,
  record.flags & 8 <> 0 as noop,
  record.flags & 16 <> 0 as account_made,
  record.flags & 32 <> 0 as joined_bet,
  record.flags & 64 <> 0 as bonus_bucket,
  record.flags & 128 <> 0 as received,
  case when record.kind = 9 then coalesce(record.details ->> 'to', (
    select sender.player from kassa.account_identities sender
    where sender.account_id = (record.details ->> 'fromAccountId')::integer
  )) end as counterparty,
  kassa.readable(record.metadata) as metadata,
  record.details,
  record.amount_minor, record.cash_moved_minor, record.bonus_moved_minor,
  record.held_moved_minor, record.cash_minor, record.bonus_minor, record.held_minor,
  record.account_id
from kassa.transactions record
left join kassa.account_identities one on one.account_id = record.account_id
left join kassa.operators operator on operator.operator_id = record.operator_id
left join kassa.currencies currency on currency.currency_id = record.currency_id
left join kassa.providers provider on provider.provider_id = record.provider_id
left join kassa.games game on game.game_id = record.game_id;
comment on view kassa.journal is
  'Every record of the log with names, words and major units; a transfer has a row for each side.';

-- Postgres puts the query in the caller's: an index probe for the player, then one for each of the
-- player's accounts in each day of the range.
create function kassa.player_statement(
  operator text, player text, from_time timestamptz, to_time timestamptz
) returns setof kassa.journal
language sql stable parallel safe
begin atomic
  select record.*
  from kassa.journal record
  where record.operator = player_statement.operator and record.player = player_statement.player
    and record.recorded_at >= from_time and record.recorded_at < to_time
  order by record.position, record.sequence;
end;
comment on function kassa.player_statement(text, text, timestamptz, timestamptz) is
  'Every record of a player''s accounts in [from_time, to_time), in order, with balances after it.';

-- What plays in a round, and in which. The key of a round that has a name is 'r' and the name; of
-- a nameless one 'b' and its bet's transaction id, or 'w' and its win's where the win has no bet.
-- Only a rollback of a win has to look for it: it names the win, which may have joined its bet.
create view kassa.round_records as
select record.recorded_at, record.position, record.sequence, record.account_id,
  record.operator_id, record.currency_id, record.provider_id, record.game_id, record.kind,
  record.flags, record.round, record.transaction_id,
  record.cash_moved_minor + record.bonus_moved_minor as moved_minor,
  case
    when record.round is not null then 'r' || record.round
    when record.kind = 3 then 'b' || record.transaction_id
    when record.kind = 4 and record.flags & 32 <> 0 then 'b' || record.reference
    when record.kind = 4 then 'w' || record.transaction_id
    when record.kind = 5 and record.flags & 2 <> 0 then coalesce((
      select case when win.flags & 32 <> 0 then 'b' || win.reference
        else 'w' || win.transaction_id end
      from kassa.transactions win
      where win.account_id = record.account_id and win.sequence < record.sequence
        and win.recorded_at <= record.recorded_at
        and win.provider_id is not distinct from record.provider_id
        and win.kind = 4 and win.code = 0 and win.transaction_id = record.reference
      limit 1
    ), 'w' || record.reference)
    when record.kind = 32 and record.flags & 2 <> 0 then 'w' || record.reference
    else 'b' || record.reference
  end as round_key
from kassa.transactions record
where record.code = 0 and record.kind in (3, 4, 5, 32);
comment on view kassa.round_records is
  'Accepted bets, wins, rollbacks and closings by age, each with the key of its round.';

-- The names are part of the grouping so that a condition on a player is applied before it.
create view kassa.rounds as
select total.operator, total.player, total.currency, provider.name as provider, game.name as game,
  total.round, total.opened_by, total.opened_at, total.last_at,
  total.bets, kassa.major(total.stakes_minor, total.exponent) as stakes,
  total.wins, kassa.major(total.won_minor, total.exponent) as won,
  kassa.major(total.rolled_back_bets_minor, total.exponent) as rolled_back_bets,
  kassa.major(total.rolled_back_wins_minor, total.exponent) as rolled_back_wins,
  kassa.major(total.net_minor, total.exponent) as net,
  total.closing_kind is not null as closed,
  case when total.closing_kind = 32 then 'age'
    when total.closing_kind is not null then 'roundEnd' end as closed_by,
  total.closed_at, total.account_id
from (
  select operator.name as operator, one.player, currency.code as currency, currency.exponent,
    record.account_id, record.provider_id, record.round_key, max(record.round) as round,
    (array_agg(record.transaction_id order by record.sequence)
      filter (where record.kind in (3, 4)))[1] as opened_by,
    (array_agg(record.game_id order by record.sequence)
      filter (where record.kind in (3, 4)))[1] as game_id,
    min(record.recorded_at) filter (where record.kind in (3, 4)) as opened_at,
    max(record.recorded_at) as last_at,
    count(*) filter (where record.kind = 3 and record.flags & 8 = 0) as bets,
    count(*) filter (where record.kind = 4) as wins,
    coalesce(-sum(record.moved_minor) filter (where record.kind = 3), 0) as stakes_minor,
    coalesce(sum(record.moved_minor) filter (where record.kind = 4), 0) as won_minor,
    coalesce(sum(record.moved_minor)
      filter (where record.kind = 5 and record.flags & 2 = 0), 0) as rolled_back_bets_minor,
    coalesce(-sum(record.moved_minor)
      filter (where record.kind = 5 and record.flags & 2 <> 0), 0) as rolled_back_wins_minor,
    sum(record.moved_minor) as net_minor,
    (array_agg(record.kind order by record.sequence)
      filter (where record.kind = 32 or record.flags & 1 <> 0))[1] as closing_kind,
    min(record.recorded_at) filter (where record.kind = 32 or record.flags & 1 <> 0) as closed_at
  from kassa.round_records record
  join kassa.account_identities one on one.account_id = record.account_id
  join kassa.operators operator on operator.operator_id = one.operator_id
  join kassa.currencies currency on currency.currency_id = one.currency_id
  group by operator.name, one.player, currency.code, currency.exponent, record.account_id,
    record.provider_id, record.round_key
  having count(*) filter (where record.kind in (3, 4)) > 0
) total
left join kassa.providers provider on provider.provider_id = total.provider_id
left join kassa.games game on game.game_id = total.game_id;
comment on view kassa.rounds is
  'Every round in the journal with its sums; net is what the player has of it.';

create view kassa.open_rounds as
select operator.name as operator, one.player, currency.code as currency,
  provider.name as provider, game.name as game,
  case when unfinished.round_key like 'r%' then substr(unfinished.round_key, 2) end as round,
  total.opened_by, unfinished.opened_at, now() - unfinished.opened_at as age,
  total.bets, kassa.major(total.stakes_minor, currency.exponent) as stakes,
  kassa.major(total.won_minor, currency.exponent) as won,
  unfinished.opened_position, unfinished.account_id,
  reporter.position as as_of_position, reporter.recorded_at as as_of_time
from kassa.unfinished_rounds unfinished
cross join kassa.reporter_position reporter
join kassa.account_identities one on one.account_id = unfinished.account_id
join kassa.operators operator on operator.operator_id = one.operator_id
join kassa.currencies currency on currency.currency_id = one.currency_id
left join kassa.providers provider on provider.provider_id = unfinished.provider_id
left join kassa.games game on game.game_id = unfinished.game_id
cross join lateral (
  select
    (array_agg(record.transaction_id order by record.sequence))[1] as opened_by,
    count(*) filter (where record.kind = 3 and record.flags & 8 = 0) as bets,
    coalesce(-sum(record.moved_minor) filter (
      where record.kind = 3 or record.kind = 5 and record.flags & 2 = 0), 0) as stakes_minor,
    coalesce(sum(record.moved_minor) filter (
      where record.kind = 4 or record.kind = 5 and record.flags & 2 <> 0), 0) as won_minor
  from kassa.round_records record
  where record.account_id = unfinished.account_id
    and record.sequence >= unfinished.opened_sequence
    and record.recorded_at >= unfinished.opened_at
    and record.provider_id is not distinct from nullif(unfinished.provider_id, 0)
    and record.round_key = unfinished.round_key
) total;
comment on view kassa.open_rounds is
  'Rounds that are open at the position, with their stakes and wins less what is rolled back.';

grant execute on function kassa.player_statement(text, text, timestamptz, timestamptz)
  to kassa_reporting;

-- Down Migration

drop view kassa.open_rounds, kassa.rounds, kassa.round_records;
drop function kassa.player_statement(text, text, timestamptz, timestamptz);
drop view kassa.journal;
