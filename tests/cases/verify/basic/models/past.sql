-- ---
-- materialized: history
-- ---
select count(*) as n from daily
