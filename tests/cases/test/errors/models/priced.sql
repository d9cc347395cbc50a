select id, amount, rate from orders, theirs, outside.rates r
