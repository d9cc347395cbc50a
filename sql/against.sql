-- What is recorded of the relations of a project's models, and whether they are there: $1 schemas, $2 names; a row for
-- each, in their order.
select r.project, r.materialized, r.definition, r.declared, r.sql,
       exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
               where n.nspname = q.schema_name and c.relname = q.table_name and c.relkind in ('r', 'p', 'v'))
from unnest($1::text[], $2::text[]) with ordinality q (schema_name, table_name, nth)
left join sluice.relations r on r.schema_name = q.schema_name and r.table_name = q.table_name
order by q.nth
