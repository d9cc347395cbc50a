-- Statements that give the view $1 again what it has besides its query; true: also after create or replace.
with v as (select c.oid, c.oid::regclass::text as name, c.reloptions, c.relowner, c.relacl
           from pg_catalog.pg_class c where c.oid = $1::regclass)
select 'alter view ' || name || ' set (' || array_to_string(reloptions, ', ') || ')', true
from v where reloptions is not null
union all
select 'grant ' || a.privilege_type || ' on ' || name || ' to ' ||
       case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end ||
       case when a.is_grantable then ' with grant option' else '' end, false
from v, pg_catalog.aclexplode(relacl) a where a.grantee <> relowner
union all
select 'do $do$ begin grant ' || a.privilege_type || ' (' || quote_ident(t.attname) || ') on ' || name || ' to ' ||
       case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end ||
       case when a.is_grantable then ' with grant option' else '' end ||
       '; exception when undefined_column then null; end $do$', false
from v join pg_catalog.pg_attribute t on t.attrelid = v.oid, pg_catalog.aclexplode(t.attacl) a
where a.grantee <> relowner
union all
select 'comment on view ' || name || ' is ' || quote_literal(pg_catalog.obj_description(oid, 'pg_class')), false
from v where pg_catalog.obj_description(oid, 'pg_class') is not null
union all
select 'alter view ' || name || ' owner to ' || quote_ident(pg_get_userbyid(relowner)), false
from v where pg_get_userbyid(relowner) <> current_user
