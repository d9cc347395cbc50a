with p as (select day, sum(amount) as paid from payments group by day)
select a.day, a.paid - b.paid as more from p a left join p b on b.day = a.day - 1
