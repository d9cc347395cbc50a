select date_trunc('month', at) as month, count(*) from readings group by month
