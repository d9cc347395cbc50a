select day, amount from orders where (customer, day) in (select customer, day from payments)
