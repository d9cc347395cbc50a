select day, sum(weight) from orders group by day
