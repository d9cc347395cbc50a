with orders as (select * from paid) -- a CTE that bears a table's name
select at::date as day, sum(amount) as amount, count(*) as n from orders group by 1
