-- ---
-- materialized: incremental
-- full_refresh: false
-- ---
select day, random() as r from orders
