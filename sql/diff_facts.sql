-- What decides how a diff of table $1 is found and written; $2: the key's columns, a JSON array. Room for the hash tables
-- of the comparison is made in passing, and code is not compiled for it: the costs of finding rows by place, guessed far
-- too high, call for that each time.
with target as (
  select $1::pg_catalog.regclass as id
), keys as (
  select i.indexrelid, i.indisvalid and i.indpred is null and i.indexprs is null as whole, i.indisexclusion,
         -- no column of it outside the key: it holds the table to one row per key, and rows that keep theirs break it not
         not exists (
           select from unnest(i.indkey::int2[]) with ordinality k(attnum, nth)
           left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
           where k.nth <= i.indnkeyatts
             and (a.attname is null or a.attname not in (select jsonb_array_elements_text($2::jsonb)))) as within
  from pg_catalog.pg_index i join target t on i.indrelid = t.id
  where i.indisunique or i.indisexclusion
)
select
  exists (select from keys where whole and within and not indisexclusion) as key_unique,
  exists (select from keys where not within) as other_unique,
  exists (select from pg_catalog.pg_constraint c join target t on c.confrelid = t.id and c.conrelid = t.id
          where c.contype = 'f') as refers_to_itself,
  exists (select from pg_catalog.pg_constraint c join target t on c.confrelid = t.id
          where c.contype = 'f' and c.confdeltype in ('c', 'n', 'd', 'r')) as deletes_act,
  exists (select from pg_catalog.pg_attribute a join target t on a.attrelid = t.id
          where a.attidentity = 'a' and not a.attisdropped) as numbers_rows,
  exists (select from pg_catalog.pg_constraint c join target t on c.confrelid = t.id
          where c.contype = 'f' and c.conrelid <> c.confrelid)
    or exists (select from pg_catalog.pg_trigger g
               where g.tgrelid in (select id from target union all
                                   select p.relid from target t, pg_catalog.pg_partition_tree(t.id) p)
                 and not g.tgisinternal) as watched,
  -- on insert or update, for each row, before it; on the table or a partition; not disabled
  (select pg_catalog.string_agg(distinct pg_catalog.format('%I', g.tgname), ', ')
   from pg_catalog.pg_trigger g
   where g.tgrelid in (select id from target union all
                       select p.relid from target t, pg_catalog.pg_partition_tree(t.id) p)
     and not g.tgisinternal and g.tgenabled not in ('D', 'R') and g.tgtype & 3 = 3) as triggers,
  pg_catalog.set_config('work_mem', greatest(65536,
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('work_mem')) / 1024)::text || 'kB', true) as work_mem,
  pg_catalog.set_config('jit', 'off', true) as jit
