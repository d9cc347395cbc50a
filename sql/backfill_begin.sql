-- Begins a backfill of a table ($1 schema, $2 name) over a range ($3, $4) in chunks ($5: where each begins) by a step key
-- ($6). $7: rows of the table.
with begun as (
  insert into sluice.backfills (schema_name, table_name, from_value, to_value, step_key, rows_total)
  values ($1, $2, $3, $4, $6, $7::bigint)
  returning backfill_id),
chunks as (
  insert into sluice.backfill_chunks (backfill_id, nth, from_value, to_value)
  select backfill_id, nth, q.start, coalesce(pg_catalog.lead(q.start) over (order by nth), $4)
  from begun, unnest($5::text[]) with ordinality q (start, nth))
select backfill_id from begun
