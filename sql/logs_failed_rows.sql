select f.schema_name || '.' || f.table_name as table, f.check_name as check, f.line, f.failed_row as row
from sluice.failed_rows f
where f.run_id = (
  select run_id from sluice.runs
  where project = $1 and ($2::bigint = 0 or run_id = $2::bigint) order by run_id desc limit 1)
order by f.check_id, f.line nulls last
limit 100
