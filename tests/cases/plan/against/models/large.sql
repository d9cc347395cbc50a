-- ---
-- materialized: ephemeral
-- ---
select * from orders where amount >= :lowest
