-- Whether a unique index, valid and over whole rows, holds $1 to one row per key; $2: the key's columns, a JSON array.
select exists (
  select from pg_catalog.pg_index i
  where i.indrelid = $1::regclass and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
    and not exists (
      select from unnest(i.indkey::int2[]) with ordinality k(attnum, nth)
      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where k.nth <= i.indnkeyatts and a.attname not in (select jsonb_array_elements_text($2::jsonb))))
