-- ---
-- materialized: view
-- ---
select now(), current_date, current_timestamp(0) as exact, pg_catalog.now()::time as t, p.*
from public.per_day p where day >= current_date - 7
