-- ---
-- materialized: incremental
-- rollback: 1
-- ---
select day, amount from orders
