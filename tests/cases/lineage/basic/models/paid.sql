-- ---
-- materialized: ephemeral
-- ---
select * from orders where state = 'paid'
