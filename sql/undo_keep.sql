-- An entry for a publish that can be taken back. $1 schema, $2 table, $3 step, $4 the table as SQL names it, $5 columns of
-- new_row, an array, $6 how many entries of the table stay besides.
with pruned as (
  delete from sluice.undo where undo_id in (
    select undo_id from sluice.undo where schema_name = $1 and table_name = $2
    order by undo_id desc offset $6::bigint))
insert into sluice.undo (schema_name, table_name, step_id, columns, images, time_zone, rows_total, delivery_rows)
select $1, $2, $3::bigint,
  array(select pg_catalog.format('%I %s', attname, pg_catalog.format_type(atttypid, atttypmod)) from pg_catalog.pg_attribute
        where attrelid = $4::pg_catalog.regclass and attnum > 0 and not attisdropped order by attnum),
  $5::text[], pg_catalog.current_setting('TimeZone'), r.rows_total, r.delivery_rows
from (select 1) one left join sluice.relations r on r.schema_name = $1 and r.table_name = $2
returning undo_id
