delete from sluice.runs where run_id in (
  select run_id from sluice.runs
  where started_at < now() - make_interval(days => $1::int)
  order by started_at limit 1000)
