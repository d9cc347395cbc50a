select n, count(*) as days from busy group by n
