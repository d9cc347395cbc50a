select date_trunc(kind, at) as t from events
