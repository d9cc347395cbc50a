select day, status, sum(amount) from orders group by rollup (day, status)
