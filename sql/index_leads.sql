-- Whether a whole and valid index of table $1 begins with column $2.
select exists (
  select from pg_catalog.pg_index i
  join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  where i.indrelid = $1::pg_catalog.regclass and i.indisvalid and i.indpred is null and a.attname = $2)
