select day from orders where exists (select from pg_class)
