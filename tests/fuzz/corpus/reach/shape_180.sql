select day, customer from orders intersect all select day, customer from payments
