select day, 'orders'::regclass from orders
