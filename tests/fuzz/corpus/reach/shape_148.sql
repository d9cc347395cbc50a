select o.day, o.amount - before.amount as more from orders o left join orders before on before.day = o.day - 1
