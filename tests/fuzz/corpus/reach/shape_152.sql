select o.day, g from orders o cross join generate_series(1, 3) g
