-- Steps that were found to have nothing to do, begun and ended at once: a row for each element of the arrays. Where the
-- logical run is recorded as done already, nothing. $10: the snapshot in which they were found to agree with their
-- inputs, or null; it takes the place of the one they were judged by ($12), so that old ones do not hold back the
-- removal of changes; seldom, since that is all it is for. Nobody waits until it is on the disk: the end of the run brings
-- it along.
with soon as materialized (select pg_catalog.set_config('synchronous_commit', 'off', true)),
q as (
  select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                                  $8::timestamptz[], $9::text[], $11::text[], $12::text[])
    q (run_id, schema_name, table_name, node, kind, materialized, logical_run, tick, reason, step_key, judged)),
moved as (
  update sluice.relations r set snapshot = $10::pg_snapshot, snapshot_at = clock_timestamp()
  from q
  where r.schema_name = q.schema_name and r.table_name = q.table_name and r.snapshot::text = q.judged
    and r.snapshot_at < now() - interval '1 hour' and $10::pg_snapshot is not null)
insert into sluice.steps (run_id, schema_name, table_name, node, kind, materialized, logical_run, tick, started_at,
  ended_at, outcome, reason, step_key, decision)
select run_id, schema_name, table_name, node, kind, materialized, logical_run, tick, clock_timestamp(),
  clock_timestamp(), 'unchanged', reason, step_key, 'skip'
from soon cross join q
on conflict (schema_name, table_name, logical_run) where outcome in ('ok', 'unchanged') do nothing
