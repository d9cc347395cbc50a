-- Tables whose last step did not end well, or was not begun because another had failed: of project $1 in target $2.
select s.schema_name, s.table_name
from (
  select distinct on (schema_name, table_name) s.schema_name, s.table_name, s.outcome, s.reason
  from sluice.steps s join sluice.runs r using (run_id)
  where r.project = $1 and r.target = $2
  order by schema_name, table_name, s.started_at desc, s.step_id desc) s
where s.outcome in ('failed', 'blocked', 'cancelled', 'lost') or (s.outcome = 'skipped' and s.reason like 'not begun: %')
