-- Whether the rows' xmin tells what changed since a snapshot: $3 the column of the promise, $4 the time column, $5 the
-- snapshot. A row of the catalog that is younger tells of rows that came with their old xmin, or went: a partition
-- that was attached, a table put in the place of another, TRUNCATE. Ages wrap around after 2^31 transactions.
with recursive tree as (
  select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2
  union
  select i.inhrelid from tree join pg_catalog.pg_inherits i on i.inhparent = tree.oid),
seen as (
  select pg_catalog.pg_snapshot_xmin($5::pg_snapshot) as xmin,
         pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) as next)
select count(*) > 0
         and bool_and(c.relkind = 'p' or (c.relkind = 'r' and c.relpersistence = 'p' and m.amname = 'heap'))
         and bool_and(exists (
           select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attname = $3 and a.attnum > 0
             and not a.attisdropped))
         and bool_and(pg_catalog.age(c.xmin) > pg_catalog.age(seen.xmin::xid))
         and bool_and(not exists (
           select from pg_catalog.pg_inherits i
           where (i.inhparent = c.oid or i.inhrelid = c.oid)
             and pg_catalog.age(i.xmin) <= pg_catalog.age(seen.xmin::xid)))
         and bool_and(seen.next::text::numeric - seen.xmin::text::numeric between 0 and 2000000000),
       (select pg_catalog.format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a
        join pg_catalog.pg_class r on r.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = r.relnamespace
        where n.nspname = $1 and r.relname = $2 and a.attname = $4 and a.attnum > 0 and not a.attisdropped)
from seen cross join tree join pg_catalog.pg_class c using (oid) left join pg_catalog.pg_am m on m.oid = c.relam
