select day, xmlelement(name x, amount) from orders
