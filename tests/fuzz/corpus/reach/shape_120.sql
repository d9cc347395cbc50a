select day, sum(amount) over (order by day nulls first) from orders
