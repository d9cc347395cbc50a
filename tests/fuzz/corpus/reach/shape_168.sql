select day, (select sum(p.amount) from payments p where p.day > o.day - interval '7 days' and p.day <= o.day) as paid from orders o
