select o.day, (select count(*) from payments p where p.day = r.day) from orders o left join rates r on r.day = o.day - 1
