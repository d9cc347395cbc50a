select t.d, sum(t.amount) from (select date_trunc('quarter', day)::date as d, amount from orders) t group by t.d
