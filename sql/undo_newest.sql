-- The newest publish of a table that can be taken back; $1 schema, $2 table, $3 the table as SQL names it. The session is
-- put into the time zone in which its rows were written down. One row for each column of new_row.
with newest as materialized (
  select * from sluice.undo where schema_name = $1 and table_name = $2 order by undo_id desc limit 1
), now as (
  select array(select pg_catalog.format('%I %s', attname, pg_catalog.format_type(atttypid, atttypmod))
               from pg_catalog.pg_attribute
               where attrelid = $3::pg_catalog.regclass and attnum > 0 and not attisdropped order by attnum) as columns
)
select u.undo_id, u.step_id, pg_catalog.to_char(u.published_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  u.columns = n.columns, pg_catalog.array_to_string(u.columns, ', '), u.rows_total, u.delivery_rows,
  (select count(*) from sluice.undo_rows r where r.undo_id = u.undo_id and r.new_row is not null),
  pg_catalog.set_config('TimeZone', u.time_zone, true), i.name
from newest u cross join now n cross join unnest(u.images) with ordinality i (name, place)
order by i.place
