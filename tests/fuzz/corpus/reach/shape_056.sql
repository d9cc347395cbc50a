select at at time zone kind as local from events
