select count(*) as days from best
