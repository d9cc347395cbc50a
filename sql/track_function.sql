select count(*) > 0 from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname = 'sluice' and p.proname = 'track' and p.pronargs = 0 and p.prosrc = $1 and p.prosecdef
  and p.proconfig = '{"search_path=pg_catalog, pg_temp"}'
