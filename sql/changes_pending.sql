-- What entries say that are not visible in a snapshot. $1: schemas, $2: tables, $3: snapshots; a row for each request,
-- in order.
select c.everything, c.nulls, c.touched
from unnest($1::text[], $2::text[], $3::pg_snapshot[]) with ordinality q (schema_name, table_name, seen, nth)
cross join lateral (
  select coalesce(bool_or(c.everything), false) as everything, coalesce(bool_or(c.nulls), false) as nulls,
         coalesce(pg_catalog.range_agg(r.r), '{}') as touched
  from (
    select distinct c.touched, c.nulls, c.everything from sluice.changes c
    where c.schema_name = q.schema_name and c.table_name = q.table_name
      and c.xid >= pg_catalog.pg_snapshot_xmin(q.seen) and not pg_catalog.pg_visible_in_snapshot(c.xid, q.seen)) c
  left join lateral pg_catalog.unnest(c.touched) r (r) on true) c
order by q.nth
