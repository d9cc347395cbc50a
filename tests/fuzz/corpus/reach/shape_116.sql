select day, amount / sum(amount) over (partition by day) as share, lead(id) over (partition by day order by id) from orders
