-- Words and units for what the tables hold as numbers. Those with `return …` Postgres writes into
-- the query that uses them, as long as all that they use is as constant as they say: no call for
-- each row, and names in them are bound here, whatever the session's search path.

-- Up Migration

-- A multiplication keeps the scale that it should have; a division of a long numeric would not.
-- `minor` stands here once: Postgres writes no long expression into a query twice, and as a call
-- it would take twenty times as long.
create function kassa.major(minor numeric, exponent smallint) returns numeric
language sql immutable parallel safe
return minor * case exponent
  when 2 then 0.01
  when 0 then 1
  when 3 then 0.001
  else ('1e-' || exponent::text)::numeric
end;
comment on function kassa.major(numeric, smallint) is
  'An amount of minor units in major units: exact, with as many decimals as the currency has.';

-- The numbers of core/kinds.ts; a test compares them.
create function kassa.kind_name(kind smallint) returns text
language sql immutable parallel safe
return case kind
  when 1 then 'deposit'
  when 2 then 'withdraw'
  when 3 then 'bet'
  when 4 then 'win'
  when 5 then 'rollback'
  when 6 then 'hold'
  when 7 then 'capture'
  when 8 then 'release'
  when 9 then 'transfer'
  when 10 then 'grant'
  when 11 then 'convert'
  when 12 then 'forfeit'
  when 13 then 'adjust'
  when 14 then 'open'
  when 15 then 'setStatus'
  when 16 then 'setOperator'
  when 17 then 'setClient'
  when 32 then 'roundAged'
  when 33 then 'holdExpired'
  when 34 then 'setRetention'
  else 'kind_' || kind::text
end;
comment on function kassa.kind_name(smallint) is
  'The name of a kind of record as the protocol writes it.';

-- The numbers of core/result-codes.ts that a record may have; a test compares them.
create function kassa.code_name(code smallint) returns text
language sql immutable parallel safe
return case code
  when 0 then 'ok'
  when 10 then 'insufficient_funds'
  when 12 then 'account_bet_locked'
  when 13 then 'account_frozen'
  when 14 then 'account_closed'
  when 15 then 'round_closed'
  when 17 then 'bet_rolled_back'
  when 18 then 'already_rolled_back'
  when 19 then 'bet_settled'
  when 20 then 'balance_spent'
  when 21 then 'reference_mismatch'
  when 23 then 'hold_finished'
  when 24 then 'exceeds_hold'
  when 25 then 'limit_reached'
  when 26 then 'overflow'
  when 27 then 'batch_aborted'
  when 28 then 'account_not_empty'
  when 29 then 'receiver_refused'
  else 'code_' || code::text
end;
comment on function kassa.code_name(smallint) is
  'The name of a recorded outcome as the protocol writes it; ok alone has moved money.';

create function kassa.status_name(status smallint) returns text
language sql immutable parallel safe
return case status
  when 0 then 'active'
  when 1 then 'betLocked'
  when 2 then 'frozen'
  when 3 then 'closed'
  else 'status_' || status::text
end;
comment on function kassa.status_name(smallint) is
  'The name of an account''s status as the protocol writes it.';

-- Metadata is any bytes. The pattern is well-formed UTF-8 without U+0000, in hexadecimal digits: an
-- attempt that fails would end the whole query, and catching that would forbid parallel plans.
create function kassa.readable(metadata bytea) returns text
language sql stable parallel safe
return case
  when encode(metadata, 'hex') ~ ('^(?:0[1-9a-f]|[1-7].|(?:c[2-9a-f]|d.)[89ab].'
    || '|(?:e0[ab].|e[1-9abcef][89ab].|ed[89].)[89ab].'
    || '|(?:f0[9ab].|f[1-3][89ab].|f48.)(?:[89ab].){2})*$')
  then convert_from(metadata, 'UTF8')
  else encode(metadata, 'escape')
end;
comment on function kassa.readable(bytea) is
  'Bytes as the text they are; with \000 to \377 for bytes where they are no text for Postgres.';

create function kassa.whole_minute(at_time timestamptz) returns timestamptz
language plpgsql immutable parallel safe set search_path = kassa, pg_temp set timezone = 'UTC' as $$
begin
  if at_time is distinct from date_trunc('minute', at_time) then
    raise exception 'Cannot sum from or to % because turnover is kept by the minute', at_time
      using errcode = 'invalid_parameter_value',
        hint = 'Give whole minutes, or sum the journal.';
  end if;
  return at_time;
end $$;
comment on function kassa.whole_minute(timestamptz) is
  'The time itself, or an error if it is not a whole minute.';

grant execute on function
  kassa.major(numeric, smallint), kassa.kind_name(smallint), kassa.code_name(smallint),
  kassa.status_name(smallint), kassa.readable(bytea), kassa.whole_minute(timestamptz)
  to kassa_reporting;

-- Down Migration

drop function
  kassa.major(numeric, smallint), kassa.kind_name(smallint), kassa.code_name(smallint),
  kassa.status_name(smallint), kassa.readable(bytea), kassa.whole_minute(timestamptz);
