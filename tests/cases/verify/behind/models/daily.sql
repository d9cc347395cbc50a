-- ---
-- unique_key: [day]
-- ---
with big as (select * from orders where amount > 0)
select day, sum(amount) as amount, sum(weight) as weight, count(*) as n from big group by 1
