-- ---
-- materialized: incremental
-- ---
select day, count(*) as n, sum(amount) as amount from orders group by day
