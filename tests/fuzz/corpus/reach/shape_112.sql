select day, avg(amount) over (order by day rows between current row and 1 following) from orders
