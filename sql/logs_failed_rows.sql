-- Rows that failed, each with its keys in the order of the table's columns, as far as that is there: jsonb keeps none.
select f.schema_name || '.' || f.table_name as table, f.check_name as check, f.line,
       coalesce(case when pg_catalog.jsonb_typeof(f.failed_row) = 'object' then (
         select '{' || pg_catalog.string_agg(pg_catalog.to_json(e.key)::text || ': ' || e.value::text, ', '
                                             order by a.attnum, e.nth) || '}'
         from pg_catalog.jsonb_each(f.failed_row) with ordinality e (key, value, nth)
         left join pg_catalog.pg_attribute a
           on a.attrelid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', f.schema_name, f.table_name))
          and a.attname = e.key and not a.attisdropped) end, f.failed_row::text) as row
from sluice.failed_rows f
where f.run_id = (
  select run_id from sluice.runs
  where project = $1 and ($2::bigint = 0 or run_id = $2::bigint) order by run_id desc limit 1)
order by f.check_id, f.line nulls last
limit 1000
