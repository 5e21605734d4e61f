-- Partitions: made ahead of time, thinned out and detached. These functions run with the rights of
-- the schema's owner, so that the writer's role needs none to change or drop history.

-- Up Migration

-- Every partition by time, so that none has to be found by parsing names.
create table kassa.partitions (
  parent text not null,
  partition text primary key,
  from_at timestamptz not null,
  until_at timestamptz not null,
  detached_at timestamptz
);
create index partitions_parent on kassa.partitions (parent, from_at);

-- How each table is cut, and how long its partitions are kept at least, after their end. These are
-- the policy of REPORTING.md: each snapshot for an hour, one a minute for a day, one an hour for 90
-- days, then one a day for good.
create table kassa.partition_policies (
  parent text primary key,
  -- hour, day or month.
  unit text not null,
  kept interval,
  -- The snapshots that go with it.
  tier smallint
);
insert into kassa.partition_policies (parent, unit, kept, tier) values
  ('transactions', 'day', null, null),
  ('balance_changes', 'hour', '1 hour', 0),
  ('system_balances_second', 'hour', '1 hour', null),
  ('balance_images_minute', 'day', '1 day', 1),
  ('system_balances_minute', 'day', '1 day', null),
  ('balance_images_hour', 'month', '90 days', 2),
  ('system_balances_hour', 'month', '90 days', null);

-- Makes the partition of one table that holds this time, unless it is there.
create function kassa.make_partition(parent_name text, at_time timestamptz) returns void
language plpgsql security definer set search_path = kassa, pg_temp set timezone = 'UTC' as $$
declare
  unit_name text := (select unit from partition_policies where parent = parent_name);
  from_time timestamptz := date_trunc(unit_name, at_time);
  until_time timestamptz := from_time + ('1 ' || unit_name)::interval;
  pattern text := case unit_name
    when 'hour' then 'YYYY_MM_DD_HH24' when 'day' then 'YYYY_MM_DD' else 'YYYY_MM' end;
  partition_name text := parent_name || '_' || to_char(from_time, pattern);
begin
  if exists (select from partitions where partition = partition_name) then return; end if;
  -- Attached, not made in place: that would lock the whole table against its readers.
  execute format('create table %I (like %I including defaults)', partition_name, parent_name);
  if parent_name = 'transactions' then
    execute format('create unique index on %I (account_id, sequence)', partition_name);
    execute format(
      'create index on %I using brin (position, recorded_at) with (pages_per_range = 64)',
      partition_name);
  end if;
  execute format('alter table %I attach partition %I for values from (%L) to (%L)',
    parent_name, partition_name, from_time, until_time);
  execute format('grant select on %I to kassa_reporting, kassa_writer', partition_name);
  insert into partitions (parent, partition, from_at, until_at)
    values (parent_name, partition_name, from_time, until_time);
end $$;

-- Makes the partitions of all tables that hold this time, and the ones after them.
create function kassa.make_partitions(at_time timestamptz) returns void
language plpgsql security definer set search_path = kassa, pg_temp set timezone = 'UTC' as $$
declare
  policy partition_policies;
begin
  for policy in select * from partition_policies loop
    perform make_partition(policy.parent, at_time);
    perform make_partition(policy.parent, at_time + ('1 ' || policy.unit)::interval);
    if policy.unit <> 'month' then
      perform make_partition(policy.parent, at_time + ('2 ' || policy.unit)::interval);
    end if;
  end loop;
end $$;

-- Drops the history that the policy no longer keeps at this time of the log. What belongs to the same
-- snapshots goes together or, when a reader holds a part of it, stays for the next call. Returns how
-- many partitions went.
create function kassa.thin_history(at_time timestamptz) returns integer
language plpgsql security definer
set search_path = kassa, pg_temp set timezone = 'UTC' set lock_timeout = '200ms' as $$
declare
  old record;
  old_partition text;
  dropped integer := 0;
begin
  for old in
    select policy.unit, one.until_at, max(policy.tier) as tier,
      array_agg(one.partition) as partitions
    from partitions one join partition_policies policy using (parent)
    where policy.kept is not null and one.until_at + policy.kept <= at_time
    group by policy.unit, one.until_at
    order by one.until_at
  loop
    begin
      foreach old_partition in array old.partitions loop
        execute format('drop table %I', old_partition);
      end loop;
      delete from snapshots where tier = old.tier and recorded_at < old.until_at;
      delete from partitions where partition = any (old.partitions);
      dropped := dropped + cardinality(old.partitions);
    exception when lock_not_available then
      null;
    end;
  end loop;
  return dropped;
end $$;

-- Takes days of the journal that ended before this time out of `transactions`. They stay in the
-- schema as tables of their own, to be dumped or dropped. Returns their names.
create function kassa.detach_journal(before_time timestamptz) returns setof text
language plpgsql security definer set search_path = kassa, pg_temp set lock_timeout = '200ms' as $$
declare
  old record;
begin
  for old in
    select partition from partitions
    where parent = 'transactions' and detached_at is null and until_at <= before_time
    order by from_at
  loop
    begin
      execute format('alter table transactions detach partition %I', old.partition);
      update partitions set detached_at = now() where partition = old.partition;
      return next old.partition;
    exception when lock_not_available then
      null;
    end;
  end loop;
end $$;

-- Down Migration

drop schema kassa cascade;
