select distinct date_trunc('month', day)::date as m, status from orders
