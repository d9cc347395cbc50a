-- What the server knows of names: the functions of $1 (a JSON array) that a search path of schema $2 finds, one row a
-- name ('f'), the operators ('o') and types ('t') that are not the server's own but within reach, and a cast ('c') that
-- runs something whose result may be another each time. A function may call any other: all bodies go into its print. A
-- table's name is the type of its rows; where it is also one of the server's own, that one is meant.
with of_users as (
  select pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(' ', p.oid, p.prosrc, p.probin, p.proconfig::text,
    p.provolatile, p.proisstrict, p.proargdefaults::text, p.prosqlbody::text), '|' order by p.oid)) as bodies
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where p.oid >= 16384 and n.nspname <> 'sluice' and n.nspname not like 'pg\_%')
select 'f', p.proname::text,
       pg_catalog.min(case p.provolatile when 'v' then 1 when 's' then 2 else 3 end) as worst,
       bool_and(p.prokind = 'a') as aggregate, bool_and(p.prokind = 'w') as window,
       bool_or(n.nspname <> 'pg_catalog') as of_users,
       bool_and(n.nspname = 'pg_catalog' or (p.provolatile = 'i' and p.prokind = 'f')) as users_immutable,
       pg_catalog.md5(pg_catalog.string_agg(
         case when n.nspname <> 'pg_catalog' then
           pg_catalog.concat_ws(' ', p.oid, p.proargdefaults::text, p.prorettype, p.proargtypes::text)
         end, '|' order by p.oid) || case when bool_or(n.nspname <> 'pg_catalog') then (select bodies from of_users) end)
       as print
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('pg_catalog', $2) and p.proname in (select pg_catalog.jsonb_array_elements_text($1::jsonb))
group by p.proname
union all
select 'o', o.oprname::text, 0, false, false, true, false, null
from pg_catalog.pg_operator o
where o.oprnamespace = (select oid from pg_catalog.pg_namespace where nspname = $2)
union all
select 't', t.typname::text, 0, false, false, true, false, null
from pg_catalog.pg_type t
where t.typnamespace = (select oid from pg_catalog.pg_namespace where nspname = $2)
  and t.typtype <> 'e' and t.typelem = 0 and not exists (
    select from pg_catalog.pg_type b join pg_catalog.pg_namespace n on n.oid = b.typnamespace
    where b.typname = t.typname and n.nspname = 'pg_catalog')
union all
(select 'c', pg_catalog.format('%s to %s', c.castsource::regtype, c.casttarget::regtype), 0, false, false, true, false, null
from pg_catalog.pg_cast c
left join pg_catalog.pg_proc p on p.oid = c.castfunc
where c.oid >= 16384 and (p.provolatile <> 'i' or (c.castmethod = 'i' and c.castcontext = 'i' and c.casttarget in (
  select t.oid from pg_catalog.pg_type t where t.typcategory = 'D' or t.typname in ('time', 'timetz'))))
limit 1)
order by 1, 2
