-- Triggers that record changes as those of a table, wherever they are: partitions that were detached keep theirs.
select n.nspname, c.relname, t.tgname,
       exists (
         with recursive tree as (
           select r.oid from pg_catalog.pg_class r join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
           where rn.nspname = $1 and r.relname = $2
           union
           select i.inhrelid from tree join pg_catalog.pg_inherits i on i.inhparent = tree.oid)
         select from tree where tree.oid = c.oid) as member,
       pg_catalog.pg_has_role(c.relowner, 'usage') as owned
from pg_catalog.pg_trigger t
join pg_catalog.pg_class c on c.oid = t.tgrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_proc p on p.oid = t.tgfoid
join pg_catalog.pg_namespace pn on pn.oid = p.pronamespace
cross join pg_catalog.getdatabaseencoding() encoding
where pn.nspname = 'sluice' and p.proname = 'track' and pg_catalog.starts_with(t.tgname::text, 'sluice_track_')
  and position(
    pg_catalog.convert_to($1, encoding) || '\x00'::bytea || pg_catalog.convert_to($2, encoding) || '\x00'::bytea
    in t.tgargs) = 1
order by 1, 2, 3
