select p.day, o.amount from orders o left join payments p on p.day = o.day
