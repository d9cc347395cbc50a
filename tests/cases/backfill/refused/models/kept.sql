-- ---
-- materialized: history
-- ---
select day from orders
