
-- Of statement triggers with transition tables: records which times a statement touched. Arguments: schema and name of
-- the table (of a partition: the root's), and its time column, if it has one. Runs with the rights of the ledger's
-- owner, so nothing of the writer's is called: a time column of another type than these counts as none.
declare
  times text := case tg_op
    when 'INSERT' then 'select %1$I as t from sluice_new'
    when 'DELETE' then 'select %1$I as t from sluice_old'
    else 'select %1$I as t from sluice_new union all select %1$I from sluice_old' end;
  query text;
  new_ranges int8multirange := '{}';
  new_nulls boolean := false;
  new_everything boolean := true;
begin
  if tg_op <> 'TRUNCATE' then
    select case a.atttypid
        when 1082 then $date$@date@$date$
        when 1114 then $timestamp$@timestamp@$timestamp$
        when 1184 then $timestamptz$@timestamptz@$timestamptz$
        when 20 then $integer$@integer@$integer$
        when 21 then $integer$@integer@$integer$
        when 23 then $integer$@integer@$integer$ end
      into query from pg_catalog.pg_attribute a
      where a.attrelid = tg_relid and a.attname = tg_argv[2] and not a.attisdropped and a.attgenerated <> 'v';
    if query is null then
      execute case tg_op
        when 'INSERT' then 'select exists (select from sluice_new)'
        when 'DELETE' then 'select exists (select from sluice_old)'
        else 'select exists (select from sluice_new) or exists (select from sluice_old)' end into new_everything;
    else
      times := format(times, tg_argv[2]);
      new_everything := false;
      execute format('select %s, exists (select from (%s) v where t is null)', format(query, times), times)
        into new_ranges, new_nulls;
    end if;
  end if;
  if isempty(new_ranges) and not new_nulls and not new_everything then
    return null;
  end if;
  -- A transaction of many small statements need not say the same again and again. Not where it is serializable: to
  -- look at what others insert as well might fail it.
  if current_setting('transaction_isolation') <> 'serializable' and exists (
    select from (
      select c.touched, c.nulls, c.everything from sluice.changes c
      where c.schema_name = tg_argv[0] and c.table_name = tg_argv[1] and c.xid = pg_current_xact_id() limit 16) said
    where said.everything or (not new_everything and said.touched @> new_ranges and (said.nulls or not new_nulls))) then
    return null;
  end if;
  insert into sluice.changes (schema_name, table_name, touched, nulls, everything)
  values (tg_argv[0], tg_argv[1], new_ranges, new_nulls, new_everything);
  return null;
end
