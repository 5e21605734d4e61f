-- What the two roles may do.

-- Up Migration

revoke all on schema kassa from public;
revoke all on all functions in schema kassa from public;
grant usage on schema kassa to kassa_reporting, kassa_writer;
grant select on all tables in schema kassa to kassa_reporting, kassa_writer;

-- Added to, never changed.
grant insert on
  kassa.transactions, kassa.balance_changes, kassa.balance_images, kassa.system_balances,
  kassa.rejected_rows, kassa.games, kassa.providers, kassa.currencies, kassa.operator_currencies
  to kassa_writer;
-- The newest state and running sums: rewritten.
grant insert, update on
  kassa.reporter_position, kassa.reporter_sign_of_life, kassa.operators, kassa.account_identities,
  kassa.snapshots, kassa.turnover
  to kassa_writer;
grant insert, delete on kassa.unfinished_rounds to kassa_writer;

grant execute on function
  kassa.make_partitions(timestamptz), kassa.thin_history(timestamptz),
  kassa.detach_journal(timestamptz)
  to kassa_writer;

-- Down Migration
