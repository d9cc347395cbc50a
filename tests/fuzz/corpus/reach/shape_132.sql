select o.day, p.amount from orders o join payments p on date_trunc('month', p.day) = date_trunc('month', o.day)
