select day, amount from orders union all select day, -amount from payments
