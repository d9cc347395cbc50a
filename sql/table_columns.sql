-- One row per column of a relation: position, name, type, generated or identity, not null; none where it is not there.
select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       a.attgenerated <> '' or a.attidentity = 'a', a.attnotnull, c.relkind
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname = $1 and c.relname = $2
order by a.attnum
