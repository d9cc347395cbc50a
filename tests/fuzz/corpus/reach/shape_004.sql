select day, amount from orders
