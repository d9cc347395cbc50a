-- ---
-- materialized: ephemeral
-- ---
select day, n from daily where n > 1
