select date_trunc('quarter', at) as q, date_trunc('year', at) as y, date_trunc('decade', at) as d, count(*) from readings group by 1, 2, 3
