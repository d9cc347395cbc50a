select day, (day + 7)::date as due from orders
