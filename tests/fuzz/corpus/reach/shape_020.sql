select day from orders where daterange('[yesterday,infinity)') @> day
