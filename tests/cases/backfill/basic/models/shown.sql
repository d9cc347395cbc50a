-- ---
-- materialized: view
-- ---
select day, total from daily
