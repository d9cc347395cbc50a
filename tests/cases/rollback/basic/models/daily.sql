-- ---
-- materialized: incremental
-- unique_key: [day]
-- rollback: 1
-- ---
select day, sum(amount) as amount from orders group by day
