-- Names the session ($4), tries the lock on a table (an advisory lock, key $1) shared with others that share it, which
-- fails where somebody has it alone, or waits for that; and fails (40001) where a run published the table after this
-- transaction's snapshot was taken. (Counted, since what nobody asks for is not locked.)
with named as materialized (select pg_catalog.set_config('application_name', $4, true)),
locked as materialized (select pg_catalog.pg_try_advisory_xact_lock_shared($1::bigint) as done from named),
fence as materialized (
  select from sluice.fences where schema_name = $2 and table_name = $3 and (select done from locked) for share)
select done from locked where (select count(*) from fence) >= 0
