select r.run_id as run, r.command, r.target, r.started_at, r.ended_at,
       round(extract(epoch from r.ended_at - r.started_at)::numeric, 3) as seconds,
       r.outcome, r.host, r.program, r.error
from sluice.runs r
where r.project = $1 and ($2::bigint = 0 or r.run_id = $2::bigint)
order by r.run_id desc
limit 1
