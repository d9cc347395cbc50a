select sum(amount) as total from priced
