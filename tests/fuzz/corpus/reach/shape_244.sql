select o.day, array(select p.amount from payments p where p.day = o.day union select r.rate from rates r where r.day = o.day + 1 order by 1) from orders o
