select day, sum(amount) over (order by day range between '1 day' preceding and current row) from
  (select day, amount from orders union all select day, amount from payments) q
