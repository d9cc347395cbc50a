-- Runs of project $1 still said to be running, and whether they cannot be: for a minute or more, and no connection of
-- the project's but this one ($2: how they name themselves, with /<run> behind it or without). That is how runs of other machines, and of containers that are gone, are found out.
select run_id, process,
       started_at < now() - interval '1 minute' and not exists (
         select from pg_catalog.pg_stat_activity
         where pid <> pg_catalog.pg_backend_pid() and (application_name = $2 or starts_with(application_name, $2 || '/')))
from sluice.runs where outcome = 'running' and project = $1
