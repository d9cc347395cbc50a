select p.day, p.amount, sum(o.amount) over (order by p.day range between '1 day' preceding and '1 day' following) from orders o right join payments p on p.day = o.day + 1
