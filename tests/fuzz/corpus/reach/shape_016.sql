select day, frobnicate(amount) from orders
