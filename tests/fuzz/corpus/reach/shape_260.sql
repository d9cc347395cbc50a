select day, nth_value(amount, 2) over (order by day, id range between unbounded preceding and current row) from orders
