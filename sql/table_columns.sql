-- One row per column of a relation, in order: name, type, whether it cannot be written (generated, or identity always),
-- the relation's kind. A single row without a name where it has no columns; none where it is not there.
select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       a.attgenerated <> '' or a.attidentity = 'a', c.relkind
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname = $1 and c.relname = $2
order by a.attnum
