select day, amount from orders order by day fetch first 3 rows with ties
