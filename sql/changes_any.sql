-- Which requests have entries that are not visible in their snapshot, or (second column) a snapshot older than what may
-- have been removed. $1: schemas, $2: tables, $3: snapshots. Found by probing the index once for each: asked first,
-- since most often there are none, and what there is takes more to add up.
select q.nth - 1, q.horizon < p.before
from (
  select q.*, pg_catalog.pg_snapshot_xmin(q.seen) as horizon
  from unnest($1::text[], $2::text[], $3::pg_snapshot[]) with ordinality q (schema_name, table_name, seen, nth)
  offset 0) q
cross join (select (select before from sluice.changes_pruned limit 1) as before offset 0) p
left join lateral (
  select true as found from sluice.changes c
  where c.schema_name = q.schema_name and c.table_name = q.table_name and c.xid >= q.horizon
    and not pg_catalog.pg_visible_in_snapshot(c.xid, q.seen)
  limit 1) c on true
where c.found or q.horizon < p.before
