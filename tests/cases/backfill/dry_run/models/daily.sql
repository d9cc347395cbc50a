-- ---
-- materialized: incremental
-- ---
select o.day, sum(o.amount) over (order by o.day range between interval '7 days' preceding and current row) as total,
       r.rate
from orders o join rates r using (currency)
