-- What the program has given: grants (`privilege role`) and comments that it is to take away when the file no longer asks
-- for them. $1 schema, $2 table, $3 and $4 privileges and roles asked for, $5 which of them (from 1) it just gave, $6
-- columns with comments. What somebody else had granted before is not the program's to revoke.
update sluice.relations set
  granted = (
    select pg_catalog.array_agg(u.privilege || ' ' || u.role order by u.nth)
    from unnest($3::text[], $4::text[]) with ordinality u (privilege, role, nth)
    where u.privilege || ' ' || u.role = any (granted) or u.nth = any ($5::bigint[])),
  commented = nullif($6::text[], '{}')
where schema_name = $1 and table_name = $2
