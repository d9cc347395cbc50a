-- Of each relation asked for ($1: a JSON array of [schema, name]) one row per column, in order: its position among
-- those asked for, what it is, its OID, the column's name, type and collation, and of a view the OIDs of what it reads,
-- each between blanks. No row where it is not there.
select a.n - 1, c.relkind, c.oid, t.attname, pg_catalog.format_type(t.atttypid, t.atttypmod),
       t.attcollation,
       case c.relkind when 'v' then (
         select ' ' || pg_catalog.string_agg(d.refobjid::text, ' ') || ' '
         from pg_catalog.pg_rewrite r
         join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
         where r.ev_class = c.oid and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> c.oid) end
from pg_catalog.jsonb_array_elements($1::jsonb) with ordinality a (pair, n)
join pg_catalog.pg_namespace s on s.nspname = a.pair ->> 0
join pg_catalog.pg_class c on c.relnamespace = s.oid and c.relname = a.pair ->> 1
left join pg_catalog.pg_attribute t on t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped
order by a.n, t.attnum
