select distinct on (customer) customer, day, amount from orders order by customer, day desc
