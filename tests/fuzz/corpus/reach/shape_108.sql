select day, lead(amount) over (order by day) from orders
