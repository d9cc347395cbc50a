-- ---
-- materialized: incremental
-- unique_key: [day]
-- checks:
--   - expression: day not in (select l.at from limits l)
-- ---
select day, amount, sum(amount) over (order by day range between interval '2 days' preceding and current row) as total
from orders
