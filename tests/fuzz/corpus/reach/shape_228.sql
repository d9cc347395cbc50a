select day, sum(amount) over (order by day desc nulls last range between unbounded preceding and '1 day' following) from orders
