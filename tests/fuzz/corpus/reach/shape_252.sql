select o.day, o.amount from orders o where not (o.day in (select p.day from payments p where p.day = o.day and p.amount > 3))
