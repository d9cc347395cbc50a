-- ---
-- materialized: view
-- ---
select * from daily
