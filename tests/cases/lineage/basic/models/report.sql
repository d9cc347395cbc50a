select t.*, d.euros from theirs t join daily d using (customer)
