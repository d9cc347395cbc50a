-- Says that a chunk ($2) of a backfill ($1) is done, by step $3, in the transaction that does it. No row: it was done
-- before, or the backfill has ended, since another one took its place. Gives how many rows the chunks that are done took
-- from the table, on balance. The backfill is locked so that none takes its place before this transaction has ended.
with goes_on as materialized (
  select backfill_id from sluice.backfills where backfill_id = $1::bigint and ended_at is null for share)
update sluice.backfill_chunks c set done_at = clock_timestamp(), step_id = $3::bigint
from goes_on b
where c.backfill_id = b.backfill_id and c.nth = $2::integer and c.done_at is null
returning (
  select coalesce(sum(s.rows_deleted - s.rows_inserted), 0)
  from sluice.backfill_chunks d join sluice.steps s using (step_id)
  where d.backfill_id = $1::bigint and d.done_at is not null)
