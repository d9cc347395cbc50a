select day as ordered, day::timestamp as at, amount from orders
