-- What entries say that are not visible in a snapshot. $1: schemas, $2: tables, $3: snapshots; a row for each request
-- ($4, its number) for which there are any, or whose snapshot is older than what may have been removed.
with q as (
  select q.*, pg_catalog.pg_snapshot_xmin(q.seen) as horizon
  from unnest($1::text[], $2::text[], $3::pg_snapshot[], $4::bigint[]) q (schema_name, table_name, seen, nth)),
entry as (
  select q.nth, c.touched, c.nulls, c.everything
  from q join sluice.changes c
    on c.schema_name = q.schema_name and c.table_name = q.table_name and c.xid >= q.horizon
  where not pg_catalog.pg_visible_in_snapshot(c.xid, q.seen)
  union all
  select q.nth, '{}', false, true from q, sluice.changes_pruned p where q.horizon < p.before),
whole as (
  select e.nth, pg_catalog.range_agg(r.r) as touched
  from entry e, pg_catalog.unnest(e.touched) r (r) group by e.nth),
-- Of more than 64 ranges the smallest gaps are closed.
gap as (
  select w.nth, r.r, pg_catalog.lower(r.r)::numeric - pg_catalog.lag(pg_catalog.upper(r.r)) over nths as size
  from whole w, pg_catalog.unnest(w.touched) r (r)
  window nths as (partition by w.nth order by r.r)),
ranked as (
  select nth, r, pg_catalog.row_number() over (partition by nth order by size desc nulls last) as place, size
  from gap),
island as (
  select nth, r, pg_catalog.count(*) filter (where size is not null and place < 64) over (partition by nth order by r)
    as number
  from ranked),
bounded as (
  select nth, pg_catalog.range_agg(r) as touched from (
    select nth, pg_catalog.range_merge(pg_catalog.range_agg(r)) as r from island group by nth, number) i
  group by nth)
select e.nth, pg_catalog.bool_or(e.everything), pg_catalog.bool_or(e.nulls), pg_catalog.min(b.touched::text)
from entry e left join bounded b using (nth)
group by e.nth
