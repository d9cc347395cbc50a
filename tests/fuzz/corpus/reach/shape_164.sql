select day, amount from orders where day > any (select day from payments)
