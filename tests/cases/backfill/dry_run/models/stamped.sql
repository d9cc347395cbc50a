-- ---
-- materialized: incremental
-- ---
select at, id from events
