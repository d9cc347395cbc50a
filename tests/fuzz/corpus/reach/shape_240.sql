select o.day, p.day as pday from orders o join payments p on p.day > o.day and p.day < o.day + interval '1 month'
