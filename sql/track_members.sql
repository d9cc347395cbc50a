-- A table and all that inherit from it, the table first; with what would keep triggers from seeing every change.
with recursive tree as (
  select c.oid, 0 as depth from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2 and c.relkind <> 'i'
  union
  select i.inhrelid, depth + 1 from tree join pg_catalog.pg_inherits i on i.inhparent = tree.oid)
select n.nspname, c.relname, c.relkind, c.relpersistence,
       pg_catalog.pg_has_role(c.relowner, 'usage'),
       c.oid < 16384 or n.nspname in ('pg_catalog', 'information_schema', 'pg_toast', 'sluice'),
       (select i.inhparent::pg_catalog.regclass from pg_catalog.pg_inherits i
        where i.inhrelid = c.oid and m.depth = 0 limit 1)
from (select oid, min(depth) as depth from tree group by oid) m
join pg_catalog.pg_class c on c.oid = m.oid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
order by m.depth, c.oid
