select day, unnest(string_to_array(status, ',')) from orders
