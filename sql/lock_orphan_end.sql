-- Ends backend $2 where it still holds the lock on a table (an advisory lock, key $1). No row: it does not. Null: this
-- role may not end it, and asking the server all the same would be an error that fails the transaction.
select case when
    (not o.rolsuper or (select rolsuper from pg_catalog.pg_roles where rolname = current_user))
    and (pg_catalog.pg_has_role(o.oid, 'usage') or pg_catalog.pg_has_role('pg_signal_backend', 'usage'))
  then pg_catalog.pg_terminate_backend(a.pid) end
from pg_catalog.pg_locks l
join pg_catalog.pg_stat_activity a using (pid)
join pg_catalog.pg_roles o on o.oid = a.usesysid
where l.pid = $2::int and l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.database = (
  select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
  and ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint
limit 1
