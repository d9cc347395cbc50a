select o.day, p.amount, r.rate from orders o left join (payments p join rates r on r.day = p.day + 1) on p.day = o.day
