select o.day, p.amount from orders o join payments p on p.day = o.day or p.customer = o.customer
