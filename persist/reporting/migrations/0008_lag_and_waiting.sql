-- How far the reporter is behind the log, and how to wait until it is not.

-- Up Migration

-- The sign of life is written by itself, also while the reporter cannot go on, so it may know less
-- than the position does.
create view kassa.reporter_lag as
select reporter.position, reporter.recorded_at,
  greatest(life.log_position, reporter.position) as log_position,
  greatest(life.log_recorded_at, reporter.recorded_at) as log_recorded_at,
  greatest(life.log_position - reporter.position, 0) as blocks_behind,
  case when life.log_position > reporter.position
    then extract(epoch from life.log_recorded_at - reporter.recorded_at) else 0
    end as seconds_behind,
  extract(epoch from clock_timestamp() - life.seen_at) as seconds_since_sign_of_life,
  (select count(*) from kassa.rejected_rows) as rejected_row_count
from kassa.reporter_position reporter
left join kassa.reporter_sign_of_life life on true;
comment on view kassa.reporter_lag is
  'One row: the reporter''s position, the log''s end as it saw it last, and the way between them.';

-- Each look is a statement by itself and so sees what was committed before it, but not in a
-- transaction that has chosen one moment for all of its statements.
create function kassa.wait_for(wanted_position bigint, timeout interval default '10 seconds')
returns bigint
language plpgsql volatile parallel unsafe set search_path = kassa, pg_temp as $$
declare
  deadline timestamptz := clock_timestamp() + timeout;
  reached bigint;
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception 'Cannot wait for position % because this transaction is %',
      wanted_position, current_setting('transaction_isolation')
      using errcode = 'invalid_transaction_state',
        hint = 'It sees one moment only: wait before it begins.';
  end if;
  loop
    select reporter.position into reached from reporter_position reporter;
    if reached >= wanted_position then return reached; end if;
    if clock_timestamp() >= deadline then
      raise exception 'Cannot wait longer for position % because the timeout of % is over: '
        'the reporter is at %', wanted_position, timeout, coalesce(reached::text, 'none yet')
        using errcode = 'KA001', hint = 'Look at kassa.reporter_lag, or give a longer timeout.';
    end if;
    perform pg_sleep(0.02);
  end loop;
end $$;
comment on function kassa.wait_for(bigint, interval) is
  'Returns the reporter''s position once it has reached the wanted one; error KA001 if too late.';

grant execute on function kassa.wait_for(bigint, interval) to kassa_reporting;

-- Down Migration

drop function kassa.wait_for(bigint, interval);
drop view kassa.reporter_lag;
