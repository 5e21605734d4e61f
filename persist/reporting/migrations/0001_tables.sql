-- The tables of reporting: what the reporter writes. REPORTING.md says what they mean.
--
-- Amounts are whole minor units in bigint; sums over many records, which may pass 2^63, are numeric
-- without a fraction. Ids are the log's own numbers where it has them (operators, providers), so
-- that a rebuild gives the same ones. No foreign keys: every row comes from one writer, in one
-- transaction with the position, and a check of each row would cost more than writing it.

-- Up Migration

-- Which log this database follows, and how far: the one row that makes writing happen once.
create table kassa.reporter_position (
  only_row boolean primary key default true check (only_row),
  folder_id text not null,
  -- The last block whose records are all here.
  position bigint not null,
  recorded_at timestamptz,
  -- What the next block has to fit to (LOG-FORMAT.md), for the follower of the log.
  header_checksum bigint not null,
  time_ms bigint not null,
  sequences bigint[] not null,
  last_segment bigint not null,
  -- Records and bytes of content up to the position.
  record_count bigint not null,
  content_bytes bigint not null,
  snapshot_id bigint not null,
  -- The journal has every record after this position; null while it is turned off.
  journal_from bigint,
  written_at timestamptz not null default now()
) with (fillfactor = 50);

-- Signs of life beside the position: also written while there is nothing to report.
create table kassa.reporter_sign_of_life (
  only_row boolean primary key default true check (only_row),
  seen_at timestamptz not null,
  -- The end of the log as the reporter saw it then.
  log_position bigint not null,
  log_recorded_at timestamptz
) with (fillfactor = 50);

create table kassa.operators (
  operator_id integer primary key,
  name text not null unique,
  policies jsonb not null,
  changed_position bigint not null
);

create table kassa.providers (
  provider_id integer primary key,
  name text not null unique
);

create table kassa.games (
  game_id integer primary key,
  name text not null unique
);

create table kassa.currencies (
  -- ISO 4217's number; above 1,000 what operators brought.
  currency_id integer primary key,
  code text not null,
  -- Minor units of one major unit: 10 ^ exponent.
  exponent smallint not null,
  -- Null for what an operator brought.
  name text,
  unique (code, exponent)
);

create table kassa.operator_currencies (
  operator_id integer not null,
  -- Place in the operator's own list, from 0.
  number smallint not null,
  currency_id integer not null,
  primary key (operator_id, number)
);

-- Who an account belongs to and its status. Balances are in balance_changes and balance_images:
-- the view `accounts` shows both.
create table kassa.account_identities (
  -- shard × 2^27 + the account's row in its shard.
  account_id integer primary key,
  -- account_id / 64: accounts whose balances are stored together.
  page integer not null,
  operator_id integer not null,
  currency_id integer not null,
  player text not null,
  -- 0 active, 1 betLocked, 2 frozen, 3 closed.
  status smallint not null,
  opened_at timestamptz not null,
  opened_position bigint not null,
  status_position bigint not null
) with (fillfactor = 95);
create index account_identities_player on kassa.account_identities (player, operator_id);

-- Every snapshot that can be asked for. Thinned out with age (thin_history).
create table kassa.snapshots (
  snapshot_id bigint primary key,
  -- The snapshot holds every record up to this block.
  position bigint not null,
  recorded_at timestamptz not null,
  -- 0 taken within a minute, 1 the last of its minute, 2 of its hour, 3 of its day (UTC).
  tier smallint not null,
  record_count bigint not null,
  written_at timestamptz not null default now()
);
create index snapshots_position on kassa.snapshots (position);
create index snapshots_recorded_at on kassa.snapshots (recorded_at);

-- The balances that changed in one snapshot: a row for each page of 64 accounts, arrays of equal
-- length. Kept for an hour at least. Whole rows for each account would take ten times as long.
create table kassa.balance_changes (
  recorded_at timestamptz not null,
  snapshot_id bigint not null,
  page integer not null,
  -- account_id % 64, ascending.
  slots smallint[] not null,
  cash_minor bigint[] not null,
  bonus_minor bigint[] not null,
  held_minor bigint[] not null,
  -- The block that changed it last.
  changed_position bigint[] not null
) partition by range (recorded_at);
create index balance_changes_page on kassa.balance_changes (page, snapshot_id);

-- All 64 balances of a page as they were at the end of a minute, hour or day in which one changed.
-- A balance as of a snapshot is the page's newest image up to it, and the changes since.
create table kassa.balance_images (
  tier smallint not null,
  recorded_at timestamptz not null,
  snapshot_id bigint not null,
  page integer not null,
  cash_minor bigint[] not null,
  bonus_minor bigint[] not null,
  held_minor bigint[] not null,
  changed_position bigint[] not null
) partition by list (tier);
create index balance_images_page on kassa.balance_images (page, snapshot_id);
create table kassa.balance_images_minute partition of kassa.balance_images
  for values in (1) partition by range (recorded_at);
create table kassa.balance_images_hour partition of kassa.balance_images
  for values in (2) partition by range (recorded_at);
create table kassa.balance_images_day partition of kassa.balance_images
  for values in (3);

-- The system accounts of each operator and currency after a snapshot in which they changed. Tiers
-- as in snapshots; all shards' together.
create table kassa.system_balances (
  tier smallint not null,
  recorded_at timestamptz not null,
  snapshot_id bigint not null,
  operator_id integer not null,
  currency_id integer not null,
  house_minor numeric(38, 0) not null,
  cashier_minor numeric(38, 0) not null,
  bonus_fund_minor numeric(38, 0) not null,
  adjustments_minor numeric(38, 0) not null,
  transit_minor numeric(38, 0) not null
) partition by list (tier);
create index system_balances_owner
  on kassa.system_balances (operator_id, currency_id, snapshot_id);
create table kassa.system_balances_second partition of kassa.system_balances
  for values in (0) partition by range (recorded_at);
create table kassa.system_balances_minute partition of kassa.system_balances
  for values in (1) partition by range (recorded_at);
create table kassa.system_balances_hour partition of kassa.system_balances
  for values in (2) partition by range (recorded_at);
create table kassa.system_balances_day partition of kassa.system_balances
  for values in (3);

-- The journal: one row for each record, and one more for the receiver of a transfer. Within one
-- snapshot the rows lie in the order of their accounts, which makes their index cheap to write and
-- an account's rows cheap to read; `sequence` gives the order of decisions in a shard.
create table kassa.transactions (
  recorded_at timestamptz not null,
  position bigint not null,
  sequence bigint not null,
  shard smallint not null,
  kind smallint not null,
  code smallint not null,
  -- 1 roundEnd, 2 of a win, 4 stakeless, 8 noop, 16 account made, 32 joined its bet's round, 64
  -- bucket bonus, 128 the receiver's side of a transfer.
  flags integer not null,
  -- Null for records of no account (setOperator, setClient, setRetention).
  account_id integer,
  operator_id integer,
  currency_id integer,
  provider_id integer,
  -- The game and the round that it counts in: where the sender named none, those of the bet or win
  -- that it refers to.
  game_id integer,
  -- The amount asked for; null where the sender named none.
  amount_minor bigint,
  cash_moved_minor bigint not null,
  bonus_moved_minor bigint not null,
  held_moved_minor bigint not null,
  -- Balances after the record.
  cash_minor bigint not null,
  bonus_minor bigint not null,
  held_minor bigint not null,
  transaction_id text,
  round text,
  reference text,
  -- The sender's bytes: metadata may hold U+0000, which text may not.
  metadata bytea,
  details jsonb
) partition by range (recorded_at);
-- On each partition, by make_partition: unique (account_id, sequence), BRIN on position and time.

-- Rounds that are open at the position; kept only with the journal.
create table kassa.unfinished_rounds (
  shard smallint not null,
  -- The record that opened it.
  opened_sequence bigint not null,
  opened_position bigint not null,
  opened_at timestamptz not null,
  account_id integer not null,
  provider_id integer not null,
  -- 'r' and the round's id; of a nameless round 'b' and its bet's transaction id.
  round_key text not null,
  game_id integer,
  primary key (shard, opened_sequence),
  unique (account_id, provider_id, round_key)
);

-- Counts and sums by minute, always kept. Moved amounts are signed as the player sees them: bets
-- are below zero.
create table kassa.turnover (
  minute timestamptz not null,
  operator_id integer not null,
  -- 0 for none.
  provider_id integer not null,
  game_id integer not null,
  currency_id integer not null,
  kind smallint not null,
  -- Of a rollback: whether it takes back a win.
  of_win boolean not null,
  accepted_count bigint not null,
  refused_count bigint not null,
  cash_moved_minor numeric(38, 0) not null,
  bonus_moved_minor numeric(38, 0) not null,
  held_moved_minor numeric(38, 0) not null,
  primary key (minute, operator_id, provider_id, game_id, currency_id, kind, of_win)
) with (fillfactor = 70);

-- Rows that Postgres refused, with the reason; the reporter went on behind them.
create table kassa.rejected_rows (
  rejected_id bigint primary key generated always as identity,
  target text not null,
  position bigint not null,
  shard smallint not null,
  sequence bigint not null,
  recorded_at timestamptz not null,
  sql_state text not null,
  reason text not null,
  -- The row as it was sent: Postgres' binary COPY format.
  row_bytes bytea not null,
  rejected_at timestamptz not null default now()
);

-- Down Migration

drop schema kassa cascade;
