select r.schema_name as schema, r.table_name as table, r.node, r.kind, r.materialized,
       s.outcome as last_outcome, s.decision, s.touched, s.started_at as last_started, r.published_at, r.rows_total as rows,
       r.published_run as run, r.last_tick,
       coalesce(s.error, case when s.outcome in ('blocked', 'skipped') then s.reason end) as error
from sluice.relations r
left join lateral (
  select outcome, decision, touched, started_at, error, reason from sluice.steps s
  where s.schema_name = r.schema_name and s.table_name = r.table_name
  order by s.started_at desc, s.step_id desc limit 1) s on true
where r.project = $1 and r.target = $2
union all
-- tables that were never published, or dropped since: the last that was tried of them; those that others write too
select s.schema_name, s.table_name, s.node, s.kind, s.materialized, s.outcome, s.decision, s.touched, s.started_at, null, null, null, null,
       coalesce(s.error, case when s.outcome in ('blocked', 'skipped') then s.reason end)
from (
  select distinct on (schema_name, table_name) s.* from sluice.steps s
  join sluice.runs using (run_id)
  where runs.project = $1 and runs.target = $2
  order by schema_name, table_name, s.started_at desc, step_id desc) s
where not exists (
  select from sluice.relations r where r.schema_name = s.schema_name and r.table_name = s.table_name)
order by 1, 2
