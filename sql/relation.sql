select r.project, r.node, r.kind, r.materialized, r.definition, r.content_hash,
       (extract(epoch from greatest(r.last_tick, s.tick)) * 1000000)::bigint,
       (extract(epoch from r.last_start) * 1000000)::bigint, r.rows_total
from (
  select max(tick) as tick from sluice.steps
  where schema_name = $1 and table_name = $2 and outcome in ('ok', 'unchanged', 'failed', 'blocked')) s
left join sluice.relations r on r.schema_name = $1 and r.table_name = $2
