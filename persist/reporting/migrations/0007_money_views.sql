-- What players staked and won, by time: GGR, turnover and RTP by game, and what bonuses cost. All
-- of it is summed from `turnover`, which counts each record in its own minute: a rollback counts at
-- the time of the rollback, so that a day that is over never changes.
--
-- The views by day ask the sums for each day by itself: a condition on `day` leaves out the other
-- days before anything is read, which a grouping by day could not.

-- Up Migration

create view kassa.turnover_days as
select whole.day::date as day,
  whole.day at time zone 'UTC' as from_time,
  (whole.day + interval '1 day') at time zone 'UTC' as to_time
from generate_series(
  (select date_trunc('day', min(minute) at time zone 'UTC') from kassa.turnover),
  (select date_trunc('day', max(minute) at time zone 'UTC') from kassa.turnover),
  interval '1 day'
) whole (day);
comment on view kassa.turnover_days is
  'The days (UTC) from the first to the last one with turnover, with their half-open ranges.';

-- Summed by numbers first: names are looked up once a sum and not once a minute.
-- Sums of both buckets. All are shown as zero or more: bets and rolled-back wins, which move money
-- away from the player, with their sign turned.
create function kassa.play_sums(from_time timestamptz, to_time timestamptz) returns table (
  operator text,
  provider text,
  game text,
  currency text,
  exponent smallint,
  bet_count bigint,
  refused_bet_count bigint,
  win_count bigint,
  rollback_count bigint,
  bets_minor numeric,
  rolled_back_bets_minor numeric,
  wins_minor numeric,
  rolled_back_wins_minor numeric
)
language sql stable parallel safe
begin atomic
  select operator.name, provider.name, game.name, currency.code, currency.exponent,
    coalesce(sum(one.accepted_count) filter (where one.kind = 3), 0)::bigint,
    coalesce(sum(one.refused_count) filter (where one.kind = 3), 0)::bigint,
    coalesce(sum(one.accepted_count) filter (where one.kind = 4), 0)::bigint,
    coalesce(sum(one.accepted_count) filter (where one.kind = 5), 0)::bigint,
    coalesce(-sum(one.moved_minor) filter (where one.kind = 3), 0),
    coalesce(sum(one.moved_minor) filter (where one.kind = 5 and not one.of_win), 0),
    coalesce(sum(one.moved_minor) filter (where one.kind = 4), 0),
    coalesce(-sum(one.moved_minor) filter (where one.kind = 5 and one.of_win), 0)
  from (
    select minutes.operator_id, minutes.provider_id, minutes.game_id, minutes.currency_id,
      minutes.kind, minutes.of_win,
      sum(minutes.accepted_count) as accepted_count, sum(minutes.refused_count) as refused_count,
      sum(minutes.cash_moved_minor + minutes.bonus_moved_minor) as moved_minor
    from kassa.turnover minutes
    where minutes.minute >= kassa.whole_minute(from_time)
      and minutes.minute < kassa.whole_minute(to_time)
      and minutes.kind in (3, 4, 5)
    group by minutes.operator_id, minutes.provider_id, minutes.game_id, minutes.currency_id,
      minutes.kind, minutes.of_win
  ) one
  join kassa.operators operator on operator.operator_id = one.operator_id
  join kassa.currencies currency on currency.currency_id = one.currency_id
  left join kassa.providers provider on provider.provider_id = one.provider_id
  left join kassa.games game on game.game_id = one.game_id
  group by operator.name, provider.name, game.name, currency.code, currency.exponent;
end;
comment on function kassa.play_sums(timestamptz, timestamptz) is
  'Bets, wins and rollbacks in [from_time, to_time) by operator, provider, game and currency.';

create function kassa.ggr(from_time timestamptz, to_time timestamptz) returns table (
  operator text,
  currency text,
  bets numeric,
  rolled_back_bets numeric,
  wins numeric,
  rolled_back_wins numeric,
  ggr numeric,
  bet_count bigint,
  win_count bigint
)
language sql stable parallel safe
begin atomic
  select one.operator, one.currency,
    kassa.major(sum(one.bets_minor), one.exponent),
    kassa.major(sum(one.rolled_back_bets_minor), one.exponent),
    kassa.major(sum(one.wins_minor), one.exponent),
    kassa.major(sum(one.rolled_back_wins_minor), one.exponent),
    kassa.major(sum(one.bets_minor - one.rolled_back_bets_minor)
      - sum(one.wins_minor - one.rolled_back_wins_minor), one.exponent),
    sum(one.bet_count)::bigint, sum(one.win_count)::bigint
  from kassa.play_sums(from_time, to_time) one
  group by one.operator, one.currency, one.exponent;
end;
comment on function kassa.ggr(timestamptz, timestamptz) is
  'Gross gaming revenue in [from_time, to_time): stakes less wins, rolled-back money out of both.';

create view kassa.ggr_daily as
select whole.day, one.*
from kassa.turnover_days whole
cross join lateral kassa.ggr(whole.from_time, whole.to_time) one;
comment on view kassa.ggr_daily is
  'Gross gaming revenue by day (UTC), operator and currency.';

create function kassa.turnover_by_game(from_time timestamptz, to_time timestamptz) returns table (
  operator text,
  provider text,
  game text,
  currency text,
  bet_count bigint,
  refused_bet_count bigint,
  win_count bigint,
  rollback_count bigint,
  bets numeric,
  rolled_back_bets numeric,
  wins numeric,
  rolled_back_wins numeric,
  ggr numeric
)
language sql stable parallel safe
begin atomic
  select one.operator, one.provider, one.game, one.currency, one.bet_count, one.refused_bet_count,
    one.win_count, one.rollback_count,
    kassa.major(one.bets_minor, one.exponent),
    kassa.major(one.rolled_back_bets_minor, one.exponent),
    kassa.major(one.wins_minor, one.exponent),
    kassa.major(one.rolled_back_wins_minor, one.exponent),
    kassa.major(one.bets_minor - one.rolled_back_bets_minor
      - one.wins_minor + one.rolled_back_wins_minor, one.exponent)
  from kassa.play_sums(from_time, to_time) one;
end;
comment on function kassa.turnover_by_game(timestamptz, timestamptz) is
  'Counts and sums of play in [from_time, to_time) by operator, provider, game and currency.';

create view kassa.turnover_by_game as
select whole.day, one.*
from kassa.turnover_days whole
cross join lateral kassa.turnover_by_game(whole.from_time, whole.to_time) one;
comment on view kassa.turnover_by_game is
  'Counts and sums of play by day (UTC), operator, provider, game and currency.';

create function kassa.rtp_by_game(from_time timestamptz, to_time timestamptz) returns table (
  operator text,
  provider text,
  game text,
  currency text,
  staked numeric,
  won numeric,
  rtp numeric
)
language sql stable parallel safe
begin atomic
  select one.operator, one.provider, one.game, one.currency,
    kassa.major(one.bets_minor - one.rolled_back_bets_minor, one.exponent),
    kassa.major(one.wins_minor - one.rolled_back_wins_minor, one.exponent),
    round((one.wins_minor - one.rolled_back_wins_minor)
      / nullif(one.bets_minor - one.rolled_back_bets_minor, 0), 6)
  from kassa.play_sums(from_time, to_time) one;
end;
comment on function kassa.rtp_by_game(timestamptz, timestamptz) is
  'Return to player in [from_time, to_time) by game: won by staked, null where nothing was staked.';

create view kassa.rtp_by_game as
select whole.day, one.*
from kassa.turnover_days whole
cross join lateral kassa.rtp_by_game(whole.from_time, whole.to_time) one;
comment on view kassa.rtp_by_game is
  'Return to player by day (UTC), operator, provider, game and currency.';

create function kassa.bonus_cost(from_time timestamptz, to_time timestamptz) returns table (
  operator text,
  currency text,
  granted numeric,
  forfeited numeric,
  cost numeric,
  converted numeric,
  staked numeric,
  won numeric,
  adjusted numeric
)
language sql stable parallel safe
begin atomic
  select total.operator, total.currency,
    kassa.major(total.granted_minor, total.exponent),
    kassa.major(total.forfeited_minor, total.exponent),
    kassa.major(total.granted_minor - total.forfeited_minor, total.exponent),
    kassa.major(total.converted_minor, total.exponent),
    kassa.major(total.staked_minor, total.exponent),
    kassa.major(total.won_minor, total.exponent),
    kassa.major(total.adjusted_minor, total.exponent)
  from (
    select operator.name as operator, currency.code as currency, currency.exponent,
      coalesce(sum(one.bonus_moved_minor) filter (where one.kind = 10), 0) as granted_minor,
      coalesce(-sum(one.bonus_moved_minor) filter (where one.kind = 12), 0) as forfeited_minor,
      coalesce(-sum(one.bonus_moved_minor) filter (where one.kind = 11), 0) as converted_minor,
      coalesce(-sum(one.bonus_moved_minor)
        filter (where one.kind = 3 or one.kind = 5 and not one.of_win), 0) as staked_minor,
      coalesce(sum(one.bonus_moved_minor)
        filter (where one.kind = 4 or one.kind = 5 and one.of_win), 0) as won_minor,
      coalesce(sum(one.bonus_moved_minor) filter (where one.kind = 13), 0) as adjusted_minor
    from kassa.turnover one
    join kassa.operators operator on operator.operator_id = one.operator_id
    join kassa.currencies currency on currency.currency_id = one.currency_id
    where one.minute >= kassa.whole_minute(from_time) and one.minute < kassa.whole_minute(to_time)
      and one.kind in (3, 4, 5, 10, 11, 12, 13)
    group by operator.name, currency.code, currency.exponent
    having sum(abs(one.bonus_moved_minor)) > 0
  ) total;
end;
comment on function kassa.bonus_cost(timestamptz, timestamptz) is
  'What bonuses cost in [from_time, to_time), granted less forfeited, and what became of them.';

create view kassa.bonus_cost as
select whole.day, one.*
from kassa.turnover_days whole
cross join lateral kassa.bonus_cost(whole.from_time, whole.to_time) one;
comment on view kassa.bonus_cost is
  'What bonuses cost by day (UTC), operator and currency, and what became of them.';

grant execute on function
  kassa.play_sums(timestamptz, timestamptz), kassa.ggr(timestamptz, timestamptz),
  kassa.turnover_by_game(timestamptz, timestamptz), kassa.rtp_by_game(timestamptz, timestamptz),
  kassa.bonus_cost(timestamptz, timestamptz)
  to kassa_reporting;

-- Down Migration

drop view kassa.bonus_cost, kassa.rtp_by_game, kassa.turnover_by_game, kassa.ggr_daily;
drop function
  kassa.bonus_cost(timestamptz, timestamptz), kassa.rtp_by_game(timestamptz, timestamptz),
  kassa.turnover_by_game(timestamptz, timestamptz), kassa.ggr(timestamptz, timestamptz),
  kassa.play_sums(timestamptz, timestamptz);
drop view kassa.turnover_days;
