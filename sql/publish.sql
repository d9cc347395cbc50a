insert into sluice.relations as r (schema_name, table_name, project, node, kind, materialized, definition,
  published_at, published_run, last_tick, last_start, content_hash, rows_total, target,
  step_key, snapshot, snapshot_at, system_identifier, time_column, delivery_rows, declared, sql,
  content_size)
values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp(), $8::bigint, $9::timestamptz, $10::timestamptz, $11,
  nullif($12::bigint, -1), $13,
  $14, $15::pg_snapshot, case when $15 is not null then clock_timestamp() end, $16, $17, $18::bigint, $19, $21,
  $22::bigint)
on conflict (schema_name, table_name) do update set
  project = excluded.project, target = excluded.target, node = excluded.node, kind = excluded.kind, materialized = excluded.materialized,
  definition = excluded.definition, published_at = excluded.published_at, published_run = excluded.published_run,
  last_tick = greatest(r.last_tick, excluded.last_tick),
  last_start = greatest(r.last_start, excluded.last_start),
  content_hash = excluded.content_hash, content_size = excluded.content_size, rows_total = coalesce(excluded.rows_total, r.rows_total),
  step_key = excluded.step_key, snapshot = excluded.snapshot, snapshot_at = excluded.snapshot_at,
  system_identifier = excluded.system_identifier, time_column = excluded.time_column,
  delivery_rows = coalesce(excluded.delivery_rows, r.delivery_rows), declared = excluded.declared,
  sql = excluded.sql,
  taken_back = case when $20::boolean then r.taken_back end
