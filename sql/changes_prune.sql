-- Removes entries over a day old that every snapshot in the ledger sees; at most $1 of them. Those of transactions that
-- no transaction here can have (the database came from another server, whose counter was ahead) go as well: every
-- snapshot from there is void. `before` tells who asks with an older snapshot (of a step that was at work meanwhile)
-- that changes may be missing. Where another run is at it, nothing.
with pruned as (
  select before from sluice.changes_pruned
  where before > pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())
    or exists (select from sluice.changes where recorded_at < now() - interval '1 day')
  for update skip locked),
oldest as (
  select pg_catalog.pg_snapshot_xmin(snapshot) as xmin from sluice.relations where snapshot is not null
  order by pg_catalog.pg_snapshot_xmin(snapshot) limit 1),
here as (
  select pg_catalog.pg_snapshot_xmin(s) as xmin, pg_catalog.pg_snapshot_xmax(s) as xmax
  from pg_catalog.pg_current_snapshot() s),
horizon as (
  select least(oldest.xmin, here.xmin) as xmin, here.xmax
  from pruned cross join here left join oldest on true),
gone as (
  delete from sluice.changes where change_id in (
    select c.change_id from sluice.changes c, horizon h
    where c.recorded_at < now() - interval '1 day' and (c.xid < h.xmin or c.xid >= h.xmax)
    order by c.recorded_at limit $1::int)
  returning xid)
update sluice.changes_pruned p
set before = case when p.before > h.xmax then h.xmin else greatest(p.before, h.xmin) end
from horizon h
where (exists (select from gone) and p.before < h.xmin) or p.before > h.xmax
