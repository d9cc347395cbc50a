with recursive tree as (
  select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2
  union
  select i.inhrelid from tree join pg_catalog.pg_inherits i on i.inhparent = tree.oid)
select exists (select from tree join pg_catalog.pg_subscription_rel s on s.srrelid = tree.oid)
