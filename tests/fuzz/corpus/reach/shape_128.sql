select o.day, p.amount from orders o join payments p
    on p.customer = o.customer and p.day between o.day - interval '2 days' and o.day + interval '30 days'
