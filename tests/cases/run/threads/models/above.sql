-- ---
-- materialized: view
-- ---
select id from top
