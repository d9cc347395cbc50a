select day, avg(amount) over (order by day range between interval '7' day preceding and current row) from orders
