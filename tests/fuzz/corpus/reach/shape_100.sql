select day, sum(amount) over (order by day desc) from orders
