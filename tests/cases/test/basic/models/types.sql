select '{"a": 1}'::json as j, 'ab'::char(3) as c, array[1,2] as l, null::point as p, 0.1::float8 as f
