-- Names the session ($4), tries the lock on a table (an advisory lock, key $1), and counts up the table's fence where
-- it has it. That fails (40001) where another run published the table after this transaction's snapshot was taken; and
-- so does locking the chunks of a backfill that has not ended, where one of them was done after it. (Counted, since what
-- nobody asks for is not locked.)
with named as materialized (select pg_catalog.set_config('application_name', $4, true)),
locked as materialized (select pg_catalog.pg_try_advisory_xact_lock($1::bigint) as done from named),
chunks as materialized (
  select from sluice.backfill_chunks c
  where c.done_at is null and (select done from locked) and c.backfill_id = (
    select backfill_id from sluice.backfills where schema_name = $2 and table_name = $3 and ended_at is null)
  for share),
fenced as (
  insert into sluice.fences as f (schema_name, table_name, version) select $2, $3, 1 from locked where done
  on conflict (schema_name, table_name) do update set version = f.version + 1)
select done from locked where (select count(*) from chunks) >= 0
