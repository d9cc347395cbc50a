select day, country_of(customer) from orders
