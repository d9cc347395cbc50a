select day, sum(amount) over (order by day range between interval '1 month' preceding and current row) from orders
