-- Who the server is, the transaction's snapshot, and whatever else results depend on besides tables and functions:
-- settings, the server's major version, the types, collations and casts that users defined.
select (select system_identifier from pg_catalog.pg_control_system()),
       pg_catalog.pg_current_snapshot(),
       pg_catalog.concat_ws('|',
         pg_catalog.current_setting('server_version_num')::int / 10000,
         pg_catalog.current_setting('TimeZone'), pg_catalog.current_setting('search_path'),
         pg_catalog.current_setting('DateStyle'), pg_catalog.current_setting('IntervalStyle'),
         pg_catalog.current_setting('extra_float_digits'), pg_catalog.current_setting('lc_time'),
         pg_catalog.current_setting('lc_numeric'), pg_catalog.current_setting('lc_monetary'),
         pg_catalog.current_setting('default_text_search_config'), pg_catalog.current_setting('bytea_output'),
         pg_catalog.current_setting('timezone_abbreviations'), pg_catalog.current_setting('transform_null_equals'),
         pg_catalog.current_setting('array_nulls'), pg_catalog.current_setting('quote_all_identifiers'),
         (select pg_catalog.md5(pg_catalog.string_agg(pg_catalog.to_jsonb(c)::text, '|' order by c.oid))
          from pg_catalog.pg_collation c where c.oid >= 16384),
         (select pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(' ', c.oid, c.castsource, c.casttarget,
            c.castcontext, c.castmethod, p.oid, p.prosrc, p.probin, p.prosqlbody::text), '|' order by c.oid))
          from pg_catalog.pg_cast c left join pg_catalog.pg_proc p on p.oid = c.castfunc where c.oid >= 16384),
         (select pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(' ', t.oid, t.typbasetype, t.typtypmod,
            (select pg_catalog.string_agg(e.enumlabel, ',' order by e.enumsortorder)
             from pg_catalog.pg_enum e where e.enumtypid = t.oid),
            (select pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(k.oid), ',' order by k.oid)
             from pg_catalog.pg_constraint k where k.contypid = t.oid)), '|' order by t.oid))
          from pg_catalog.pg_type t
          where t.typtype in ('d', 'e') and t.typnamespace not in (
            select oid from pg_catalog.pg_namespace where nspname in ('pg_catalog', 'information_schema'))))
