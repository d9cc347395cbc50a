select o.day, p.amount, r.rate from orders o cross join rates r left join payments p on o.day = r.day and p.day = o.day
