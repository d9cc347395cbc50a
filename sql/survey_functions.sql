-- What the server knows of names: the functions of $1 (a JSON array) that a search path of schema $2 finds, one row a
-- name ('f'), and the operators ('o') and types ('t') that are not the server's own but within reach.
select 'f', p.proname::text,
       pg_catalog.min(case p.provolatile when 'v' then 1 when 's' then 2 else 3 end) as worst,
       bool_and(p.prokind = 'a') as aggregate, bool_and(p.prokind = 'w') as window,
       bool_or(n.nspname <> 'pg_catalog') as of_users,
       bool_and(n.nspname = 'pg_catalog' or (p.provolatile = 'i' and p.prokind = 'f')) as users_immutable,
       pg_catalog.md5(pg_catalog.string_agg(
         case when n.nspname <> 'pg_catalog' then
           pg_catalog.concat_ws(' ', p.oid, p.prosrc, p.probin, p.proconfig::text, p.prorettype, p.proargtypes::text)
         end, '|' order by p.oid)) as print
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
left join pg_catalog.pg_class c on c.oid = t.typrelid
where t.typnamespace = (select oid from pg_catalog.pg_namespace where nspname = $2)
  and t.typtype <> 'e' and (t.typrelid = 0 or c.relkind = 'c') and t.typelem = 0
order by 1, 2
