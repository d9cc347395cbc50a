-- ---
-- materialized: incremental
-- ---
select id, at from numbers
