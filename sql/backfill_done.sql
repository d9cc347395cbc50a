-- The chunks of a backfill ($1) that are done, and the runs that did them.
select c.nth, s.run_id from sluice.backfill_chunks c left join sluice.steps s using (step_id)
where c.backfill_id = $1::bigint and c.done_at is not null
order by c.nth
