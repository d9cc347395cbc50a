-- Who holds the lock on a table (an advisory lock, key $1): backend and the run it works for.
select l.pid, r.run_id, r.host, r.process, r.command, r.started_at
from pg_catalog.pg_locks l
join pg_catalog.pg_stat_activity a using (pid)
left join sluice.runs r
  on r.run_id = substring(a.application_name from '^sluice/.*/([0-9]{1,18})$')::bigint
where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.database = (
  select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
  and ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint
limit 1
