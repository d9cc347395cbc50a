-- What is known of tables: $1 schemas, $2 names; a row for each, in their order.
select r.project, r.node, r.kind, r.materialized, r.definition, r.content_hash,
       (extract(epoch from greatest(r.last_tick, s.tick)) * 1000000)::bigint,
       (extract(epoch from r.last_start) * 1000000)::bigint, r.rows_total,
       r.step_key, r.snapshot, r.system_identifier, r.time_column, r.delivery_rows, r.declared, r.taken_back is not null,
       r.content_size
from unnest($1::text[], $2::text[]) with ordinality q (schema_name, table_name, nth)
left join sluice.relations r on r.schema_name = q.schema_name and r.table_name = q.table_name
left join lateral (
  select tick from sluice.steps s
  where s.schema_name = q.schema_name and s.table_name = q.table_name
    and s.outcome in ('ok', 'unchanged', 'failed', 'blocked') and s.tick is not null
  order by s.tick desc limit 1) s on true
order by q.nth
