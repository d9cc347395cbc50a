select at, to_char(at, 'YYYY-MM'), extract(hour from at) from events
