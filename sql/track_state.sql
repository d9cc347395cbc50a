-- What is recorded of a tracked table, and its fingerprint as it is: of the table and all that inherit from it, what
-- changes with rows coming or going past the triggers, and the triggers and their function (xmin tells of one that was
-- off, or was another, for a while). Read as rows, by the transaction's snapshot.
with recursive tree as (
  select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2
  union
  select i.inhrelid from tree join pg_catalog.pg_inherits i on i.inhparent = tree.oid),
member as (
  select c.oid, pg_catalog.concat_ws(' ', c.oid, c.relfilenode, c.relkind, c.relpersistence,
    (select pg_catalog.string_agg(i.inhparent::text, ',' order by i.inhparent)
     from pg_catalog.pg_inherits i where i.inhrelid = c.oid),
    (select pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.attnum, pg_catalog.quote_ident(a.attname), a.atttypid,
       a.atttypmod, a.attisdropped, a.attgenerated, case when a.attgenerated <> '' then pg_catalog.md5(d.adbin::text) end),
       ',' order by a.attnum)
     from pg_catalog.pg_attribute a
     left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = c.oid and a.attnum > 0),
    (select pg_catalog.string_agg(pg_catalog.concat_ws(' ', t.oid, t.tgname, t.tgenabled, t.xmin, p.oid,
       p.xmin), ',' order by t.tgname)
     from pg_catalog.pg_trigger t join pg_catalog.pg_proc p on p.oid = t.tgfoid
     where t.tgrelid = c.oid and pg_catalog.starts_with(t.tgname::text, 'sluice_track_'))) as print
  from tree join pg_catalog.pg_class c using (oid))
select r.fingerprint, r.time_column, r.project, r.node,
       (select pg_catalog.md5(pg_catalog.string_agg(print, '|' order by oid)) from member)
from (select) one
left join sluice.tracked r on r.schema_name = $1 and r.table_name = $2
