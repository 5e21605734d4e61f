-- Balances: newest, as of a snapshot, their history, and the trial balance. All but the history lay
-- changes over images in one place, page_balances.
--
-- Functions with `begin atomic` become part of the query that calls them, so that a condition on a
-- player reaches the index of account_identities. Names in them are bound here, whatever the
-- session's search path.

-- Up Migration

create aggregate kassa.concatenated(anycompatiblearray) (
  sfunc = array_cat, stype = anycompatiblearray, initcond = '{}', parallel = safe
);
comment on aggregate kassa.concatenated(anycompatiblearray) is
  'The arrays of a group behind one another, in the order of its rows.';

-- One row, by index probes alone: changes, newest first, and behind them the image, so that an
-- account's balance stands where its slot is found first. `places` says where that is, by slot + 1.
-- `limit` keeps the planner from taking the parts asunder: what it remembers of a page (Memoize),
-- and does not make again for each of 64 accounts, is the whole.
create function kassa.page_balances(of_page integer, of_snapshot bigint) returns table (
  places integer[],
  cash_minor bigint[],
  bonus_minor bigint[],
  held_minor bigint[],
  changed_position bigint[]
)
language sql stable parallel safe
begin atomic
  select
    array(
      select array_position(changes.slots || every.slots, number::smallint)
      from generate_series(0, 63) number
    ),
    changes.cash_minor || coalesce(image.cash_minor, every.zeros),
    changes.bonus_minor || coalesce(image.bonus_minor, every.zeros),
    changes.held_minor || coalesce(image.held_minor, every.zeros),
    changes.changed_position || coalesce(image.changed_position, every.zeros)
  from (
    values (array(select generate_series(0, 63)::smallint), array_fill(0::bigint, array[64]))
  ) every (slots, zeros)
  left join lateral (
    select stored.snapshot_id, stored.recorded_at, stored.cash_minor, stored.bonus_minor,
      stored.held_minor, stored.changed_position
    from kassa.balance_images stored
    where stored.page = of_page and stored.snapshot_id <= of_snapshot
    order by stored.snapshot_id desc
    limit 1
  ) image on true
  cross join lateral (
    select kassa.concatenated(newest_first.slots) as slots,
      kassa.concatenated(newest_first.cash_minor) as cash_minor,
      kassa.concatenated(newest_first.bonus_minor) as bonus_minor,
      kassa.concatenated(newest_first.held_minor) as held_minor,
      kassa.concatenated(newest_first.changed_position) as changed_position
    from (
      select stored.slots, stored.cash_minor, stored.bonus_minor, stored.held_minor,
        stored.changed_position
      from kassa.balance_changes stored
      where stored.page = of_page
        and stored.snapshot_id > coalesce(image.snapshot_id, 0)
        and stored.snapshot_id <= of_snapshot
        and stored.recorded_at >= coalesce(image.recorded_at, '-infinity')
      order by stored.snapshot_id desc
    ) newest_first
  ) changes
  limit 1;
end;
comment on function kassa.page_balances(integer, bigint) is
  'What is stored of a page of 64 accounts as of a snapshot, and where each account stands in it.';

create function kassa.balances_at(of_snapshot bigint, of_position bigint) returns table (
  account_id integer,
  operator_id integer,
  currency_id integer,
  player text,
  status smallint,
  opened_at timestamptz,
  cash_minor bigint,
  bonus_minor bigint,
  held_minor bigint,
  changed_position bigint
)
language sql stable parallel safe
begin atomic
  select one.account_id, one.operator_id, one.currency_id, one.player, one.status, one.opened_at,
    page.cash_minor[page.places[one.account_id % 64 + 1]],
    page.bonus_minor[page.places[one.account_id % 64 + 1]],
    page.held_minor[page.places[one.account_id % 64 + 1]],
    greatest(page.changed_position[page.places[one.account_id % 64 + 1]], one.opened_position)
  from kassa.account_identities one
  cross join lateral kassa.page_balances(one.page, of_snapshot) page
  where one.opened_position <= of_position;
end;
comment on function kassa.balances_at(bigint, bigint) is
  'Every account that existed at a snapshot, with its balances then and its status now.';

create view kassa.accounts as
select operator.name as operator, one.player, currency.code as currency,
  kassa.status_name(one.status) as status,
  kassa.major(one.cash_minor, currency.exponent) as cash,
  kassa.major(one.bonus_minor, currency.exponent) as bonus,
  kassa.major(one.held_minor, currency.exponent) as held,
  kassa.major(one.cash_minor + one.bonus_minor + one.held_minor, currency.exponent) as total,
  one.cash_minor, one.bonus_minor, one.held_minor,
  one.cash_minor + one.bonus_minor + one.held_minor as total_minor,
  one.changed_position, one.opened_at, one.account_id,
  reporter.position as as_of_position, reporter.recorded_at as as_of_time
from kassa.reporter_position reporter
cross join lateral kassa.balances_at(reporter.snapshot_id, reporter.position) one
join kassa.operators operator on operator.operator_id = one.operator_id
join kassa.currencies currency on currency.currency_id = one.currency_id;
comment on view kassa.accounts is
  'Every account with its newest balances and status, and the position that they are true at.';

create type kassa.account_balance as (
  operator text,
  player text,
  currency text,
  cash numeric,
  bonus numeric,
  held numeric,
  total numeric,
  cash_minor bigint,
  bonus_minor bigint,
  held_minor bigint,
  total_minor bigint,
  changed_position bigint,
  opened_at timestamptz,
  account_id integer,
  as_of_position bigint,
  as_of_time timestamptz
);
comment on type kassa.account_balance is
  'An account''s balances, and the position and time of the snapshot that they are true at.';

create function kassa.balance_as_of(as_of_position bigint) returns setof kassa.account_balance
language sql stable parallel safe
begin atomic
  select operator.name, one.player, currency.code,
    kassa.major(one.cash_minor, currency.exponent),
    kassa.major(one.bonus_minor, currency.exponent),
    kassa.major(one.held_minor, currency.exponent),
    kassa.major(one.cash_minor + one.bonus_minor + one.held_minor, currency.exponent),
    one.cash_minor, one.bonus_minor, one.held_minor,
    one.cash_minor + one.bonus_minor + one.held_minor,
    one.changed_position, one.opened_at, one.account_id, newest.position, newest.recorded_at
  from (
    select kept.snapshot_id, kept.position, kept.recorded_at from kassa.snapshots kept
    where kept.position <= as_of_position
    order by kept.position desc, kept.snapshot_id desc
    limit 1
  ) newest
  cross join lateral kassa.balances_at(newest.snapshot_id, newest.position) one
  join kassa.operators operator on operator.operator_id = one.operator_id
  join kassa.currencies currency on currency.currency_id = one.currency_id;
end;
comment on function kassa.balance_as_of(bigint) is
  'Every account with its balances as of the newest kept snapshot at or before a position.';

create function kassa.balance_as_of(as_of_time timestamptz) returns setof kassa.account_balance
language sql stable parallel safe
begin atomic
  select one.*
  from (
    select kept.position from kassa.snapshots kept
    where kept.recorded_at <= as_of_time
    order by kept.recorded_at desc, kept.snapshot_id desc
    limit 1
  ) newest
  cross join lateral kassa.balance_as_of(newest.position) one;
end;
comment on function kassa.balance_as_of(timestamptz) is
  'Every account with its balances as of the newest kept snapshot at or before a time.';

-- A snapshot of tier 0 has its changes; one of a higher tier has images of every page that changed
-- in its minute, hour or day. Of an image only the accounts are history that moved since the kept
-- snapshot before: the rest of the page is there because a neighbour did.
create view kassa.balance_history as
select snapshot.snapshot_id, snapshot.position, stored.recorded_at, snapshot.tier,
  operator.name as operator, one.player, currency.code as currency,
  kassa.major(stored.cash_minor, currency.exponent) as cash,
  kassa.major(stored.bonus_minor, currency.exponent) as bonus,
  kassa.major(stored.held_minor, currency.exponent) as held,
  kassa.major(stored.cash_minor + stored.bonus_minor + stored.held_minor, currency.exponent)
    as total,
  stored.cash_minor, stored.bonus_minor, stored.held_minor,
  stored.cash_minor + stored.bonus_minor + stored.held_minor as total_minor,
  stored.changed_position, one.account_id
from kassa.account_identities one
join kassa.operators operator on operator.operator_id = one.operator_id
join kassa.currencies currency on currency.currency_id = one.currency_id
cross join lateral (
  select change.snapshot_id, change.recorded_at, 0::smallint as tier,
    change.cash_minor[place.number] as cash_minor,
    change.bonus_minor[place.number] as bonus_minor,
    change.held_minor[place.number] as held_minor,
    change.changed_position[place.number] as changed_position
  from kassa.balance_changes change
  cross join lateral (
    select array_position(change.slots, (one.account_id % 64)::smallint) as number
    offset 0
  ) place
  where change.page = one.page and place.number is not null
  union all
  select image.snapshot_id, image.recorded_at, image.tier,
    image.cash_minor[one.account_id % 64 + 1], image.bonus_minor[one.account_id % 64 + 1],
    image.held_minor[one.account_id % 64 + 1], image.changed_position[one.account_id % 64 + 1]
  from kassa.balance_images image
  where image.page = one.page
) stored
join kassa.snapshots snapshot
  on snapshot.snapshot_id = stored.snapshot_id and snapshot.tier = stored.tier
where stored.changed_position > coalesce((
  select earlier.position from kassa.snapshots earlier
  where earlier.snapshot_id < snapshot.snapshot_id
  order by earlier.snapshot_id desc
  limit 1
), 0);
comment on view kassa.balance_history is
  'A row for each account and kept snapshot in which its balances moved since the one before.';

create function kassa.balance_history_of(
  operator text, player text, from_time timestamptz, to_time timestamptz
) returns setof kassa.balance_history
language sql stable parallel safe
begin atomic
  select one.* from kassa.balance_history one
  where one.operator = balance_history_of.operator and one.player = balance_history_of.player
    and one.recorded_at >= from_time and one.recorded_at < to_time
  order by one.snapshot_id, one.currency;
end;
comment on function kassa.balance_history_of(text, text, timestamptz, timestamptz) is
  'One player''s rows of balance_history in [from_time, to_time), in order.';

create type kassa.owner_balance as (
  operator text,
  currency text,
  players_cash numeric,
  players_bonus numeric,
  players_held numeric,
  house numeric,
  cashier numeric,
  bonus_fund numeric,
  adjustments numeric,
  transit numeric,
  difference_minor numeric,
  as_of_position bigint,
  as_of_time timestamptz
);
comment on type kassa.owner_balance is
  'One line of a trial balance: all accounts of an operator in a currency, which sum to zero.';

-- Players' balances come from what records say that they are afterwards, system accounts from what
-- records moved: that both agree is a check and not the same number twice.
create function kassa.trial_balance_at(
  of_snapshot bigint, of_position bigint, of_time timestamptz
) returns setof kassa.owner_balance
language sql stable parallel safe
begin atomic
  select operator.name, currency.code,
    kassa.major(coalesce(players.cash_minor, 0), currency.exponent),
    kassa.major(coalesce(players.bonus_minor, 0), currency.exponent),
    kassa.major(coalesce(players.held_minor, 0), currency.exponent),
    kassa.major(coalesce(system.house_minor, 0), currency.exponent),
    kassa.major(coalesce(system.cashier_minor, 0), currency.exponent),
    kassa.major(coalesce(system.bonus_fund_minor, 0), currency.exponent),
    kassa.major(coalesce(system.adjustments_minor, 0), currency.exponent),
    kassa.major(coalesce(system.transit_minor, 0), currency.exponent),
    coalesce(players.cash_minor + players.bonus_minor + players.held_minor, 0)
      + coalesce(system.house_minor + system.cashier_minor + system.bonus_fund_minor
        + system.adjustments_minor + system.transit_minor, 0),
    of_position, of_time
  from kassa.operator_currencies owner
  join kassa.operators operator on operator.operator_id = owner.operator_id
  join kassa.currencies currency on currency.currency_id = owner.currency_id
  left join (
    select one.operator_id, one.currency_id, sum(one.cash_minor) as cash_minor,
      sum(one.bonus_minor) as bonus_minor, sum(one.held_minor) as held_minor
    from kassa.balances_at(of_snapshot, of_position) one
    group by one.operator_id, one.currency_id
  ) players
    on players.operator_id = owner.operator_id and players.currency_id = owner.currency_id
  left join lateral (
    select stored.house_minor, stored.cashier_minor, stored.bonus_fund_minor,
      stored.adjustments_minor, stored.transit_minor
    from kassa.system_balances stored
    where stored.operator_id = owner.operator_id and stored.currency_id = owner.currency_id
      and stored.snapshot_id <= of_snapshot
    order by stored.snapshot_id desc
    limit 1
  ) system on true
  where players.operator_id is not null or system.house_minor is not null;
end;
comment on function kassa.trial_balance_at(bigint, bigint, timestamptz) is
  'The trial balance of a snapshot whose position and time the caller knows.';

create function kassa.trial_balance() returns setof kassa.owner_balance
language sql stable parallel safe
begin atomic
  select one.*
  from kassa.reporter_position newest
  cross join lateral kassa.trial_balance_at(
    newest.snapshot_id, newest.position, newest.recorded_at) one;
end;
comment on function kassa.trial_balance() is
  'All money of each operator and currency by place, newest: difference_minor must be zero.';

create function kassa.trial_balance(as_of_position bigint) returns setof kassa.owner_balance
language sql stable parallel safe
begin atomic
  select one.*
  from (
    select kept.snapshot_id, kept.position, kept.recorded_at from kassa.snapshots kept
    where kept.position <= as_of_position
    order by kept.position desc, kept.snapshot_id desc
    limit 1
  ) newest
  cross join lateral kassa.trial_balance_at(
    newest.snapshot_id, newest.position, newest.recorded_at) one;
end;
comment on function kassa.trial_balance(bigint) is
  'The same as of the newest kept snapshot at or before a position.';

grant execute on function
  kassa.concatenated(anycompatiblearray), kassa.page_balances(integer, bigint),
  kassa.balances_at(bigint, bigint), kassa.balance_as_of(bigint),
  kassa.balance_as_of(timestamptz),
  kassa.balance_history_of(text, text, timestamptz, timestamptz),
  kassa.trial_balance_at(bigint, bigint, timestamptz), kassa.trial_balance(),
  kassa.trial_balance(bigint)
  to kassa_reporting;

-- Down Migration

drop function
  kassa.trial_balance(bigint), kassa.trial_balance(),
  kassa.trial_balance_at(bigint, bigint, timestamptz),
  kassa.balance_history_of(text, text, timestamptz, timestamptz),
  kassa.balance_as_of(timestamptz), kassa.balance_as_of(bigint);
drop type kassa.owner_balance, kassa.account_balance;
drop view kassa.balance_history, kassa.accounts;
drop function kassa.balances_at(bigint, bigint), kassa.page_balances(integer, bigint);
drop aggregate kassa.concatenated(anycompatiblearray);
