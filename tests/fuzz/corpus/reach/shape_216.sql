select o.day, s.d from orders o, lateral (select max(p.day) as d from payments p where p.day < o.day) s
