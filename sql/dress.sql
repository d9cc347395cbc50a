-- What is to be done so that a table has the indexes, grants and comments that its file asks for: statements in their
-- order, none where it has. $1 the table as SQL names it; $2 indexes, each the text of an array of columns; $3 and $4
-- privileges and roles; $5 and $6 columns ('' for the table itself) and their comments; $7 and $8 schema and name.
-- nth: position in what was asked for. Indexes are matched by their columns; of those that are alike one is enough.
with target as (
  select c.oid as id, c.relkind, c.relacl, c.relowner from pg_catalog.pg_class c where c.oid = $1::pg_catalog.regclass
), memory as (
  select coalesce(r.granted, '{}') as granted, coalesce(r.commented, '{}') as commented
  from (select 1) one left join sluice.relations r on r.schema_name = $7 and r.table_name = $8
), indexes as (
  select i.indexrelid, n.nspname, ic.relname,
    ic.relname like 'sluice\_ix\_%' and not i.indisunique as ours,
    am.amname = 'btree' and i.indisvalid and i.indpred is null and i.indexprs is null and i.indnatts = i.indnkeyatts
      as plain,
    array(select a.attname::text from unnest(i.indkey::int2[]) with ordinality k (attnum, place)
          join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum order by k.place) as columns
  from pg_catalog.pg_index i
  join target t on i.indrelid = t.id
  join pg_catalog.pg_class ic on ic.oid = i.indexrelid
  join pg_catalog.pg_namespace n on n.oid = ic.relnamespace
  join pg_catalog.pg_am am on am.oid = ic.relam
), wanted_indexes as (
  select nth, w::text[] as columns from unnest($2::text[]) with ordinality u (w, nth)
), wanted_grants as (
  select u.nth, u.privilege, u.role, case u.role when 'public' then 0::oid else r.oid end as grantee,
    case u.role when 'public' then 'public' else pg_catalog.quote_ident(u.role) end as quoted
  from unnest($3::text[], $4::text[]) with ordinality u (privilege, role, nth)
  left join pg_catalog.pg_roles r on r.rolname = u.role
), privileges as (
  select x.grantee, pg_catalog.lower(x.privilege_type) as privilege
  from target t, pg_catalog.aclexplode(coalesce(t.relacl, pg_catalog.acldefault('r', t.relowner))) x
), wanted_comments as (
  select u.nth, u.name, u.comment from unnest($5::text[], $6::text[]) with ordinality u (name, comment, nth)
), comments as (
  select coalesce(a.attname::text, '') as name, d.description as comment
  from target t join pg_catalog.pg_description d on d.objoid = t.id and d.classoid = 'pg_catalog.pg_class'::regclass
  left join pg_catalog.pg_attribute a on a.attrelid = t.id and a.attnum = d.objsubid and d.objsubid > 0
  where d.objsubid = 0 or not a.attisdropped
), remarks as ( -- wanted, or ours and no longer wanted
  select nth, name, comment from wanted_comments
  union all
  select 0, m.name, null from memory, unnest(memory.commented) m (name)
  where m.name not in (select name from wanted_comments)
), actions (kind, nth, statement) as (
  select 'no role', nth, role from wanted_grants where grantee is null
  union all
  select 'drop index', 0, pg_catalog.format('drop index %I.%I', nspname, relname) from indexes
  where ours and not (plain and columns in (select columns from wanted_indexes))
  union all
  select 'create index', nth, pg_catalog.format('create index %I on %s (%s)',
    'sluice_ix_' || pg_catalog.to_hex(pg_catalog.hashtextextended($8 || columns::text, 0)), $1::text,
    (select pg_catalog.string_agg(pg_catalog.quote_ident(c), ', ' order by place)
     from unnest(columns) with ordinality k (c, place)))
  from wanted_indexes where columns not in (select columns from indexes where plain)
  union all
  select 'revoke', 0, case when s.role = 'public' or exists (select from pg_catalog.pg_roles where rolname = s.role) then
    pg_catalog.format('revoke %s on %s from %s', s.privilege, $1::text,
      case s.role when 'public' then 'public' else pg_catalog.quote_ident(s.role) end) end
  from memory, unnest(memory.granted) g (entry),
    lateral (select pg_catalog.split_part(g.entry, ' ', 1) as privilege,
                    pg_catalog.substr(g.entry, pg_catalog.strpos(g.entry, ' ') + 1) as role) s
  where (s.privilege, s.role) not in (select privilege, role from wanted_grants)
  union all
  select 'grant', nth, pg_catalog.format('grant %s on %s to %s', privilege, $1::text, quoted) from wanted_grants
  where grantee is not null and (grantee, privilege) not in (select grantee, privilege from privileges)
  union all
  select 'comment', r.nth, case
    when r.name = '' then pg_catalog.format('comment on %s %s is %L',
      (select case relkind when 'v' then 'view' else 'table' end from target), $1::text, r.comment)
    when exists (select from pg_catalog.pg_attribute a join target t on a.attrelid = t.id
                 where a.attname = r.name and a.attnum > 0 and not a.attisdropped) or r.comment is not null
    then pg_catalog.format('comment on column %s.%I is %L', $1::text, r.name, r.comment) end
  from remarks r left join comments c on c.name = r.name
  where r.nth = 0 or c.comment is distinct from r.comment
)
select kind, nth, statement from actions
order by pg_catalog.array_position(array['no role', 'drop index', 'create index', 'revoke', 'grant', 'comment'], kind), nth
