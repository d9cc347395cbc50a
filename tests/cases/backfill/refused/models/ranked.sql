-- ---
-- materialized: incremental
-- ---
select day,
       ntile(4) over (order by day) as quarter
from orders
