-- The backfill of a table ($1 schema, $2 name) that goes on over a range ($3, $4) in these chunks ($5: where each begins)
-- by a step key ($6), and how many rows the table had when it was begun.
select backfill_id, rows_total from sluice.backfills b
where schema_name = $1 and table_name = $2 and from_value = $3 and to_value = $4 and step_key = $6 and ended_at is null
  and $5::text[] = (
    select pg_catalog.array_agg(from_value order by nth) from sluice.backfill_chunks c
    where c.backfill_id = b.backfill_id)
