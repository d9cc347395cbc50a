select o.day, count(*) filter (where exists (select 1 from payments p where p.day = o.day)) from orders o group by o.day
