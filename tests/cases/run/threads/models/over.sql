select count(*) as n from above
