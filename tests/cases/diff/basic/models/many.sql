select g as id, (g / 7.0)::double precision as part, 'row ' || g as text from generate_series(1, 2000) g
