select at::date as day, value from readings
