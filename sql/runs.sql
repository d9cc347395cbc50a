select r.run_id as run, r.started_at, r.ended_at,
       round(extract(epoch from r.ended_at - r.started_at)::numeric, 3) as seconds,
       r.outcome, r.command, count(s.*) as steps,
       count(*) filter (where s.outcome = 'failed') as failed, r.host, r.error
from (
  select * from sluice.runs where project = $1 order by run_id desc limit $2::int) r
left join sluice.steps s using (run_id)
group by r.run_id, r.started_at, r.ended_at, r.outcome, r.command, r.host, r.error
order by r.run_id desc
