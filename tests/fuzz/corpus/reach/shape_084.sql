select day, sum(sum(amount)) over (order by day range between '6 days' preceding and current row) as week
  from orders group by day
