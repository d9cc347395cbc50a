
-- Of statement triggers with transition tables: records which times a statement touched. Arguments: schema and name of
-- the table (of a partition: the root's), and its time column, if it has one. Runs with the rights of the ledger's
-- owner, so nothing of the writer's is called: a time column of another type than these counts as none.
declare
  times text; -- query of the rows' times
  type text;
  many boolean;
  new_ranges int8multirange := '{}';
  new_nulls boolean := false;
  new_everything boolean := tg_op = 'TRUNCATE';
begin
  if tg_op = 'INSERT' then
    if not exists (select from sluice_new) then return null; end if;
    times := 'select %1$I as t from sluice_new';
    many := exists (select from sluice_new offset 64);
  elsif tg_op = 'DELETE' then
    if not exists (select from sluice_old) then return null; end if;
    times := 'select %1$I as t from sluice_old';
    many := exists (select from sluice_old offset 64);
  elsif tg_op = 'UPDATE' then
    if not exists (select from sluice_old) then return null; end if;
    times := 'select %1$I as t from sluice_new union all select %1$I from sluice_old';
    many := exists (select from sluice_old offset 32);
  end if;
  if tg_op <> 'TRUNCATE' then
    select case a.atttypid when 1082 then 'date' when 1114 then 'timestamp' when 1184 then 'timestamptz'
        when 20 then 'integer' when 21 then 'integer' when 23 then 'integer' end
      into type from pg_catalog.pg_attribute a
      where a.attrelid = tg_relid and a.attname = tg_argv[2]::name and not a.attisdropped and a.attgenerated <> 'v';
    if type is null then
      new_everything := true;
    elsif many then
      times := format(times, tg_argv[2]);
      execute format('select %s, exists (select from (%s) v where t is null)', format(case type
          when 'date' then $date$@ranges:date@$date$
          when 'timestamp' then $timestamp$@ranges:timestamp@$timestamp$
          when 'timestamptz' then $timestamptz$@ranges:timestamptz@$timestamptz$
          else $integer$@ranges:integer@$integer$ end, times), times)
        into new_ranges, new_nulls;
    else
      -- Quick to plan, for the statement that writes a row or a few: no more ranges than it may be.
      execute format('select coalesce(range_agg(int8range(d, case when d < 9223372036854775807 then d + 1 end)) '
          'filter (where d is not null), ''{}''), bool_or(d is null) from (select %s as d from (%s) v) v',
          case type
          when 'date' then $date$@number:date@$date$
          when 'timestamp' then $timestamp$@number:timestamp@$timestamp$
          when 'timestamptz' then $timestamptz$@number:timestamptz@$timestamptz$
          else $integer$@number:integer@$integer$ end, format(times, tg_argv[2]))
        into new_ranges, new_nulls;
    end if;
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
