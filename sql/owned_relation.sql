-- What project $1 owns in target $2 by the name $3: the relation of the node that is called so ($4, $5, else null), a
-- relation, or a node that is gone.
select schema_name, table_name from sluice.relations
where project = $1 and target = $2 and
  case when $4::text is not null then (schema_name, table_name) = ($4, $5)
       else $3 in (node, table_name, schema_name || '.' || table_name) end
order by 1, 2
