-- Ends a backfill ($1) of which no chunk is missing. How many rows the table has is known where it was known before and
-- no run has published it meanwhile.
with ended as (
  update sluice.backfills b set ended_at = clock_timestamp()
  where backfill_id = $1::bigint and ended_at is null and not exists (
    select from sluice.backfill_chunks c where c.backfill_id = b.backfill_id and c.done_at is null)
  returning b.*),
written as (
  select count(*) = count(s.step_id) as known, coalesce(sum(s.rows_inserted - s.rows_deleted), 0) as more
  from sluice.backfill_chunks c left join sluice.steps s using (step_id)
  where c.backfill_id = $1::bigint)
update sluice.relations r
set rows_total = case when w.known and coalesce(r.published_at < e.started_at, true) then e.rows_total + w.more end
from ended e, written w
where r.schema_name = e.schema_name and r.table_name = e.table_name
