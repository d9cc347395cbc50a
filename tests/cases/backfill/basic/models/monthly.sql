-- ---
-- materialized: incremental
-- ---
select date_trunc('month', day)::date as month, sum(total) as total from shown group by 1
