-- Names the session ($2) and tries the lock of backfills of a table (an advisory lock, key $1). The transaction that holds
-- it does nothing else for as long as the backfill takes.
with named as materialized (
  select pg_catalog.set_config('application_name', $2, true),
         pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true))
select pg_catalog.pg_try_advisory_xact_lock($1::bigint) from named
