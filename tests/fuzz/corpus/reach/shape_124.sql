select o.day, o.amount, r.rate from orders o join rates r on r.day = o.day
