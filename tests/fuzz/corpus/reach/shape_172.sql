select o.day, s.paid from orders o left join lateral (select sum(p.amount) as paid from payments p where p.day between o.day - 3 and o.day) s on true
