select day, count(*) over (partition by date_trunc('week', day)) from orders
