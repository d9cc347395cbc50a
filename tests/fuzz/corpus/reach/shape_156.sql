select day, amount from orders o where exists (select from payments p where p.customer = o.customer and p.day between o.day and o.day + 30)
