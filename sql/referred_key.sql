-- The columns of the key by which foreign keys refer to a table, in order, and one of the tables that do.
select a.attname, c.conrelid::pg_catalog.regclass
from (
  select conrelid, confrelid, confkey from pg_catalog.pg_constraint
  where contype = 'f' and confrelid = $1::pg_catalog.regclass and conrelid <> confrelid and conparentid = 0
  order by conindid in (select indexrelid from pg_catalog.pg_index where indisprimary) desc, conindid, oid
  limit 1) c
cross join pg_catalog.unnest(c.confkey) with ordinality k (number, place)
join pg_catalog.pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number
order by k.place
