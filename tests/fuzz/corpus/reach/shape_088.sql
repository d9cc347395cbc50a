select day, avg(amount) over (order by day range between interval '1 day' preceding and current row exclude current row) from orders
