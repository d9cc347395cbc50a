select s.run_id as run, s.node, s.schema_name || '.' || s.table_name as table, s.outcome, s.decision, s.touched, s.started_at,
       round(extract(epoch from s.ended_at - s.started_at)::numeric, 3) as seconds,
       s.rows_total as rows, s.rows_inserted as inserted, s.rows_updated as updated, s.rows_deleted as deleted,
       s.tick, s.reason, s.error_place as place, s.sqlstate, s.error
from sluice.steps s
where s.run_id = (
  select run_id from sluice.runs
  where project = $1 and ($2::bigint = 0 or run_id = $2::bigint) order by run_id desc limit 1)
order by s.step_id
limit 1000
