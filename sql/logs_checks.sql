select c.schema_name || '.' || c.table_name as table, c.check_name as check, c.kind, c.severity, c.outcome,
       c.failed_rows, c.detail
from sluice.checks c
where c.outcome = 'failed' and c.run_id = (
  select run_id from sluice.runs
  where project = $1 and ($2::bigint = 0 or run_id = $2::bigint) order by run_id desc limit 1)
order by c.check_id
limit 1000
