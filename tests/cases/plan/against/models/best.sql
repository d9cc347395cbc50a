-- ---
-- materialized: view
-- ---
select * from daily order by amount desc limit 1
