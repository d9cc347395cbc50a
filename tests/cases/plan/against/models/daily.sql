-- ---
-- unique_key: [day]
-- ---
-- revenue of a day
select
    day,
    sum(amount) as amount
from large
group by day
