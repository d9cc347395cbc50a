-- Of each relation asked for ($1: a JSON array of [schema, name]) one row per column, in order: its position among
-- those asked for, what it is, its OID, the column's name, type and collation. No row where it is not there.
select a.n - 1, c.relkind, c.oid, t.attname, pg_catalog.format_type(t.atttypid, t.atttypmod),
       t.attcollation
from pg_catalog.jsonb_array_elements($1::jsonb) with ordinality a (pair, n)
join pg_catalog.pg_namespace s on s.nspname = a.pair ->> 0
join pg_catalog.pg_class c on c.relnamespace = s.oid and c.relname = a.pair ->> 1
left join pg_catalog.pg_attribute t on t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped
order by a.n, t.attnum
