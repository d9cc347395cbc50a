-- ---
-- materialized: view
-- ---
select day from orders
