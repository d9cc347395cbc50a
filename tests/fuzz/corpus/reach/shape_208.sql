select date_trunc('month', at) as m, count(*), sum(count(*)) over (order by date_trunc('month', at) range between '1 month' preceding and current row) from events group by 1
