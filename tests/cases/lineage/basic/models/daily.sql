with sums as (select customer, sum(amount) as amount, max("od""d \ name") as "max ""odd""" from paid group by customer)
select s.*, r.rate, s.amount * r.rate as euros
from sums s left join outside.rates r on r.customer = s.customer
