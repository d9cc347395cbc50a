select day from orders
