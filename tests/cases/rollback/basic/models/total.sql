select sum(amount) as amount from daily
