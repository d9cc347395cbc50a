select day, rank() over (order by day desc) from orders
