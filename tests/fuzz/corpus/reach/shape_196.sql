select day, sum(amount) from paid group by day
