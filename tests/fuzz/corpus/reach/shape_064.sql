select day, sum(amount) from orders group by day having sum(amount) > 0
