-- ---
-- unique_key: [day]
-- ---
select day, sum(amount) as amount from orders group by 1
