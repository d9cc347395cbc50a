#include "tracking.h"

/* changes: trigger */

static bool install(const TrackTable *track)
{
    ERROR_AUTO(err);
    TrackChange change;
    assert_ok(track_install(g_conn, track, &change, &err));
    return change != TRACK_HELD;
}

static bool holds(const TrackTable *track)
{
    ERROR_AUTO(err);
    bool ret;
    assert_ok(track_holds(g_conn, track, &ret, &err));
    return ret;
}

/* The entries since the last look, in order, as text. */
static void assert_entries(const char *expected)
{
    ERROR_AUTO(err);
    ROWS_AUTO(rows);
    assert_ok(conn_query(g_conn,
                         "with gone as (delete from sluice.changes returning *) "
                         "select coalesce(string_agg(schema_name || '.' || table_name || ' ' || touched::text || "
                         "case when nulls then ' nulls' else '' end || case when everything then ' everything' else '' "
                         "end, '; ' order by change_id), '') from gone",
                         0, NULL, &rows, &err));
    assert_string_equal(rows_get(rows, 0, 0), expected);
}

/* --- what triggers record -------------------------------------------------------------------------------------- */

static void records_what_statements_touch(void **state)
{
    (void)state;
    run_on(g_conn, "create table t (d date, n int)");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE);
    assert_true(install(&track));
    assert_entries("public.t {} everything");
    assert_false(install(&track));
    assert_true(holds(&track));
    static const struct {
        const char *sql, *entries;
    } steps[] = {
        {"insert into t values ('2000-01-02', 1), ('2000-01-03', 2), ('2000-01-09', 3), (null, 4)",
         "public.t {[1,3),[8,9)} nulls"},
        {"update t set n = n + 1 where n = 1", "public.t {[1,2)}"},
        {"update t set d = '2000-02-01' where n = 3", "public.t {[8,9),[31,32)}"},
        {"update t set d = null where d = '2000-02-01'", "public.t {[31,32)} nulls"},
        {"delete from t where d = '2000-01-03'", "public.t {[2,3)}"},
        {"insert into t select * from t where false", ""},
        {"update t set n = 0 where false", ""},
        {"delete from t where false", ""},
        {"select * from t", ""},
        {"insert into t values ('infinity', 1)", "public.t {[2147483647,2147483648)}"},
        {"begin; insert into t values ('2001-01-01', 1); rollback", ""},
        {"set session_replication_role = replica; insert into t values ('2000-01-01', 7); "
         "reset session_replication_role",
         "public.t {[0,1)}"},
        {"with a as (insert into t values ('2000-01-05', 8) returning d) delete from t where n = 7",
         "public.t {[0,1)}; public.t {[4,5)}"},
        {"truncate t", "public.t {} everything"},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        run_on(g_writer, steps[i].sql);
        if (i != 12) {
            assert_entries(steps[i].entries);
            continue;
        }
        ERROR_AUTO(err); /* in whichever order */
        ROWS_AUTO(rows);
        assert_ok(conn_query(g_conn,
                             "with gone as (delete from sluice.changes returning *) "
                             "select string_agg(touched::text, ' ' order by touched) from gone",
                             0, NULL, &rows, &err));
        assert_string_equal(rows_get(rows, 0, 0), "{[0,1)} {[4,5)}");
    }
}

/* Statements of many rows are added up by another query than small ones. */
static void records_statements_of_many_rows(void **state)
{
    (void)state;
    run_on(g_conn, "create table t (d date, n int)");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE);
    install(&track);
    assert_entries("public.t {} everything");
    run_on(g_writer, "insert into t select '2000-01-01'::date + n % 3, n from generate_series(1, 101) n");
    assert_entries("public.t {[0,3)}");
    run_on(g_writer, "update t set d = nullif(d + 10, '2000-01-13')");
    assert_entries("public.t {[0,3),[10,12)} nulls");
    run_on(g_writer, "delete from t");
    assert_entries("public.t {[10,12)} nulls");
    run_on(g_writer, "insert into t select '2000-01-01'::date + 2 * n, n from generate_series(0, 63) n");
    ERROR_AUTO(err);
    ROWS_AUTO(small);
    ROWS_AUTO(large);
    static const char count[] = "with gone as (delete from sluice.changes returning *) "
                                "select count(*) from gone, unnest(touched)";
    assert_ok(conn_query(g_conn, count, 0, NULL, &small, &err));
    assert_int_equal(rows_int(small, 0, 0), 64);
    run_on(g_writer, "insert into t select '2000-01-01'::date + 2 * n, n from generate_series(0, 64) n");
    assert_ok(conn_query(g_conn, count, 0, NULL, &large, &err));
    assert_int_equal(rows_int(large, 0, 0), CHANGE_RANGES);
}

static void records_every_way_of_writing(void **state)
{
    (void)state;
    run_on(g_conn, "create table k (d date primary key); create table t (d date unique references k "
                   "on delete cascade on update cascade, n int);"
                   "insert into k select '2000-01-01'::date + n from generate_series(0, 9) n");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE);
    install(&track);
    assert_entries("public.t {} everything");
    run_on(g_writer, "insert into t values ('2000-01-01', 1), ('2000-01-02', 1)");
    assert_entries("public.t {[0,2)}");
    run_on(g_writer, "delete from k where d = '2000-01-01'");
    assert_entries("public.t {[0,1)}");
    run_on(g_writer, "update k set d = '2000-02-01' where d = '2000-01-02'");
    assert_entries("public.t {[1,2),[31,32)}");
    run_on(g_writer, "insert into t values ('2000-01-05', 1), ('2000-02-01', 2) on conflict (d) do update set n = 5");
    ERROR_AUTO(err);
    ROWS_AUTO(rows);
    assert_ok(conn_query(g_conn,
                         "with gone as (delete from sluice.changes returning *) "
                         "select range_agg(r) from gone, unnest(touched) r",
                         0, NULL, &rows, &err));
    assert_string_equal(rows_get(rows, 0, 0), "{[4,5),[31,32)}");
}

/* A transaction of many statements says each thing once; after a part of it was taken back, again. */
static void says_once_what_a_transaction_says_often(void **state)
{
    (void)state;
    run_on(g_conn, "create table t (d date)");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE);
    install(&track);
    assert_entries("public.t {} everything");
    run_on(g_writer, "do $$ begin for i in 1..500 loop insert into t values ('2000-01-01'); end loop; end $$");
    assert_entries("public.t {[0,1)}");
    run_on(g_writer, "begin; savepoint a; insert into t values ('2000-01-01'); rollback to a; "
                     "insert into t values ('2000-01-01'); insert into t values (null); insert into t values (null); "
                     "truncate t; insert into t values ('2000-01-07'); commit");
    assert_entries("public.t {[0,1)}; public.t {} nulls; public.t {} everything");
    run_on(g_writer, "begin isolation level serializable; insert into t values ('2000-01-01'); "
                     "insert into t values ('2000-01-01'); commit");
    assert_entries("public.t {[0,1)}; public.t {[0,1)}");
}

static void records_times_of_each_type(void **state)
{
    (void)state;
    static const struct {
        const char *type, *value, *entries;
        SqlTimeType time;
    } cases[] = {
        {"timestamp(3)", "'2000-01-02 23:59'", "public.t {[1,2)}", SQL_TIME_TIMESTAMP},
        {"timestamptz", "'2000-01-02 23:59-03'", "public.t {[2,3)}", SQL_TIME_TIMESTAMPTZ},
        {"smallint", "-5", "public.t {[-5,-4)}", SQL_TIME_INTEGER},
        {"integer", "7", "public.t {[7,8)}", SQL_TIME_INTEGER},
        {"bigint", "9223372036854775807", "public.t {[9223372036854775807,)}", SQL_TIME_INTEGER},
        {"text", "'x'", "public.t {} everything", SQL_TIME_NONE},
        {"day", "'2000-01-02'", "public.t {} everything", SQL_TIME_DATE}, /* a domain: its input may run others' code */
    };
    run_on(g_conn, "create domain day as date");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TEXT_AUTO(sql);
        text_appendf(&sql, "drop table if exists t; create table t (c %s)", cases[i].type);
        run_on(g_conn, text_str(&sql));
        TrackTable track = track_of("t", "c", cases[i].time);
        assert_true(install(&track));
        assert_entries("public.t {} everything");
        text_reset(&sql);
        text_appendf(&sql, "insert into t values (%s)", cases[i].value);
        run_on(g_writer, text_str(&sql));
        assert_entries(cases[i].entries);
    }
    run_on(g_conn, "drop table t; create table t (c int)");
    TrackTable track = track_of("t", NULL, SQL_TIME_NONE);
    install(&track);
    assert_entries("public.t {} everything");
    run_on(g_writer, "insert into t values (1)");
    assert_entries("public.t {} everything");
    run_on(g_writer, "delete from t where c = 2");
    assert_entries("");
}

static void takes_any_name(void **state)
{
    (void)state;
    static const char name[] = "a\"b'c\\d %s $1 $sluice$ \xC3\xBC";
    run_on(g_conn, "create table \"a\"\"b'c\\d %s $1 $sluice$ \xC3\xBC\" (\"T\"\"i'm\\e %1$I\" date)");
    TrackTable track = track_of(name, "T\"i'm\\e %1$I", SQL_TIME_DATE);
    install(&track);
    run_on(g_conn, "delete from sluice.changes");
    run_on(g_writer, "insert into \"a\"\"b'c\\d %s $1 $sluice$ \xC3\xBC\" values ('2000-01-01')");
    TEXT_AUTO(expected);
    text_appendf(&expected, "public.%s {[0,1)}", name);
    assert_entries(text_str(&expected));
    ERROR_AUTO(err);
    assert_ok(track_remove_others(g_conn, "p", NULL, 0, &err));
    run_on(g_writer, "insert into \"a\"\"b'c\\d %s $1 $sluice$ \xC3\xBC\" values ('2000-01-01')");
    assert_entries("");
}

/* Nor can they make it do anything with its owner's rights. */
static void needs_no_rights_of_writers(void **state)
{
    (void)state;
    run_on(g_conn, "create table t (d date); grant insert on t to writer; "
                   "create function public.isempty(int8multirange) returns boolean language plpgsql as "
                   "$$ begin raise 'called'; end $$");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE);
    install(&track);
    assert_entries("public.t {} everything");
    run_on(g_writer, "set role writer; set search_path = public, pg_catalog; insert into t values ('2000-01-01')");
    assert_entries("public.t {[0,1)}");
    ERROR_AUTO(err);
    run_on(g_writer, "create table own (d date)");
    assert_false(conn_exec(
        g_writer, "create trigger x after insert on own for each statement execute function sluice.track('a', 'b')",
        &err));
    assert_string_equal(err.sqlstate, "42501");
}

/* --- parts ----------------------------------------------------------------------------------------------------- */

static void tracks_every_partition(void **state)
{
    (void)state;
    run_on(g_conn, "create table t (d date, n int) partition by range (d);"
                   "create table t_0 partition of t for values from ('2000-01-01') to ('2000-02-01') "
                   "partition by list (n); create table \"T 0\"\"a\" partition of t_0 for values in (1);"
                   "create table t_0b partition of t_0 default;"
                   "create table t_1 partition of t for values from ('2000-02-01') to ('2000-03-01')");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE);
    install(&track);
    assert_entries("public.t {} everything");
    run_on(g_writer, "insert into t values ('2000-01-01', 1), ('2000-02-01', 1)");
    assert_entries("public.t {[0,1),[31,32)}");
    run_on(g_writer, "insert into \"T 0\"\"a\" values ('2000-01-05', 1)");
    assert_entries("public.t {[4,5)}");
    run_on(g_writer, "update t set d = '2000-02-03' where d = '2000-01-05'"); /* moves to another partition */
    assert_entries("public.t {[4,5),[33,34)}");
    run_on(g_writer, "insert into t_0 values ('2000-01-06', 2)");
    assert_entries("public.t {[5,6)}");
    run_on(g_writer, "delete from t_0b");
    assert_entries("public.t {[5,6)}");
    assert_true(holds(&track));
    run_on(g_writer, "truncate t_1");
    assert_entries("public.t {} everything");
    assert_false(holds(&track));
}

static void tracks_tables_that_inherit(void **state)
{
    (void)state;
    run_on(g_conn, "create table t (d date); create table t_0 (x int) inherits (t)");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE);
    install(&track);
    assert_entries("public.t {} everything");
    run_on(g_writer, "insert into t_0 values ('2000-01-01', 1)");
    assert_entries("public.t {[0,1)}");
    run_on(g_writer, "delete from t");
    assert_entries("public.t {[0,1)}");
}

/* --- what triggers cannot see ---------------------------------------------------------------------------------- */

static void notices_what_went_past_the_triggers(void **state)
{
    (void)state;
    static const char *const ways[] = {
        "create table t_2 partition of t for values from ('2000-03-01') to ('2000-04-01')",
        "create table t_2 (d date, n int); alter table t attach partition t_2 for values from ('2000-03-01') to "
        "('2000-04-01')",
        "alter table t detach partition t_1",
        "truncate t_1",
        "drop table t_1",
        "alter table t_1 disable trigger sluice_track_insert; alter table t_1 enable trigger sluice_track_insert",
        "alter table t_1 disable trigger all; alter table t_1 enable trigger all",
        "begin; alter table t disable trigger sluice_track_delete; delete from t; "
        "alter table t enable always trigger sluice_track_delete; commit",
        "drop trigger sluice_track_update on t",
        "vacuum full t_1",
        "alter table t add column x int default 5",
        "alter table t drop column n",
        "alter table t alter column n type bigint",
        "alter table t_1 set unlogged; alter table t_1 set logged",
        "alter table t rename to u; create table t (d date, n int)",
        "create or replace function sluice.track() returns trigger language plpgsql as 'begin return null; end'",
        "create table s (d date, n int); create trigger sluice_track_insert after insert on s execute function "
        "sluice.track('public', 't', 'd'); begin; alter table t_1 rename to t_9; alter table t detach partition t_9; "
        "alter table s rename to t_1; alter table t attach partition t_1 for values from ('2000-02-01') to "
        "('2000-03-01'); commit",
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        reset(NULL);
        run_on(g_conn, "create table t (d date, n int) partition by range (d);"
                       "create table t_1 partition of t for values from ('2000-02-01') to ('2000-03-01')");
        TrackTable track = track_of("t", "d", SQL_TIME_DATE);
        install(&track);
        assert_true(holds(&track));
        run_on(g_writer, "vacuum analyze t");
        run_on(g_writer, "create index on t (d); insert into t values ('2000-02-01', 1)");
        assert_true(holds(&track));
        run_on(g_writer, ways[i]);
        if (holds(&track))
            fail_msg("not noticed: %s", ways[i]);
        run_on(g_conn, "delete from sluice.changes");
        assert_true(install(&track));
        assert_entries("public.t {} everything");
        assert_true(holds(&track));
        assert_false(install(&track));
        run_on(g_writer, "insert into t select where false");
        assert_entries("");
    }
}

static void notices_another_time_column(void **state)
{
    (void)state;
    run_on(g_conn, "create table t (d date, e date)");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE), other = track_of("t", "e", SQL_TIME_DATE);
    install(&track);
    assert_false(holds(&other));
    assert_true(install(&other));
    run_on(g_conn, "delete from sluice.changes");
    run_on(g_writer, "insert into t values ('2000-01-01', '2000-01-02')");
    assert_entries("public.t {[1,2)}");
    assert_false(holds(&track));
    TrackTable none = track_of("nowhere", "d", SQL_TIME_DATE);
    assert_false(holds(&none));
}

/* A partition that has left keeps nothing, once the table is mended. */
static void takes_triggers_off_what_was_detached(void **state)
{
    (void)state;
    run_on(g_conn, "create table t (d date) partition by range (d);"
                   "create table t_1 partition of t for values from ('2000-02-01') to ('2000-03-01')");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE);
    install(&track);
    run_on(g_writer, "alter table t detach partition t_1");
    install(&track);
    run_on(g_conn, "delete from sluice.changes");
    run_on(g_writer, "insert into t_1 values ('2000-02-01')");
    assert_entries("");
}

/* --- refused --------------------------------------------------------------------------------------------------- */

static void refuses_what_cannot_be_complete(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *table, *sql, *says;
    } cases[] = {
        {"public", "t", "select", "there is no table public.t"},
        {"public", "t", "create view t as select 1 as d", "is a view"},
        {"public", "t", "create materialized view t as select 1 as d", "is a materialized view"},
        {"public", "t", "create sequence t", "is no table"},
        {"public", "t", "create unlogged table t (d date)", "is unlogged"},
        {"public", "t",
         "create foreign data wrapper w; create server s foreign data wrapper w; create foreign table t (d date) "
         "server s",
         "is a foreign table"},
        {"public", "t",
         "create table t (d date) partition by range (d); create unlogged table t_1 partition of t default",
         "public.t_1 is unlogged"},
        {"public", "t_1", "create table t (d date) partition by range (d); create table t_1 partition of t default",
         "is a part of t"},
        {"public", "t_1", "create table t (d date); create table t_1 () inherits (t)", "is a part of t"},
        {"public", "t", "create table t (d date); alter table t owner to writer; set role owner",
         "belongs to another role"},
        {"pg_catalog", "pg_class", "select", "belongs to the system"},
        {"sluice", "runs", "select", "belongs to the system"},
        {"public", "t",
         "create table t (d date); create subscription s connection 'dbname=x' publication x with (connect = false, "
         "enabled = false, slot_name = none, create_slot = false); "
         "insert into pg_subscription_rel (srsubid, srrelid, srsubstate) select oid, 't'::regclass, 'r' from "
         "pg_subscription",
         "logical replication"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO(err);
        reset(NULL);
        run_on(g_conn, cases[i].sql);
        TrackTable track = track_of(cases[i].table, "d", SQL_TIME_DATE);
        track.table.schema = cases[i].schema;
        TrackChange change;
        assert_false(track_install(g_conn, &track, &change, &err));
        assert_int_equal(err.code, ERROR_FAILED);
        assert_says(err.message, cases[i].says);
        assert_string_equal(err.file, "sources/t.yaml");
        assert_int_equal(err.line, 3);
        assert_int_equal(err.column, 10);
        assert_non_null(err.hint);
        run_on(g_conn, "reset role; drop foreign data wrapper if exists w cascade");
    }
    ROWS_AUTO(rows);
    ERROR_AUTO(err);
    run_on(g_conn, "alter subscription s disable; delete from pg_subscription_rel; drop subscription s");
    assert_ok(conn_query(g_conn, "select count(*) from pg_trigger where tgname like 'sluice%'", 0, NULL, &rows, &err));
    assert_int_equal(rows_int(rows, 0, 0), 0);
}

/* A table that is subscribed to later; one whose subscriptions may not be looked at. */
static void looks_for_subscriptions(void **state)
{
    (void)state;
    run_on(g_conn, "create table t (d date)");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE);
    install(&track);
    run_on(g_conn, "create subscription s connection 'dbname=x' publication x with (connect = false, "
                   "enabled = false, slot_name = none, create_slot = false);"
                   "insert into pg_subscription_rel (srsubid, srrelid, srsubstate) "
                   "select oid, 't'::regclass, 'r' from pg_subscription");
    assert_false(holds(&track));
    run_on(g_conn, "revoke select on pg_subscription_rel from public; set role owner");
    assert_true(holds(&track));
    run_on(g_conn, "reset role; grant select on pg_subscription_rel to public; delete from pg_subscription_rel; "
                   "drop subscription s");
}

/* --- locks ----------------------------------------------------------------------------------------------------- */

static void gives_up_where_a_writer_does_not_end(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    run_on(g_conn, "create table t (d date)");
    run_on(g_writer, "begin; insert into t values ('2000-01-01')");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE);
    TrackChange change;
    assert_false(track_install(g_conn, &track, &change, &err));
    assert_string_equal(err.sqlstate, "55P03");
    assert_says(err.hint, "next run");
    assert_string_equal(err.file, "sources/t.yaml");
    run_on(g_writer, "commit");
    error_clear(&err);
    assert_true(install(&track));
}

/* --- taken away ------------------------------------------------------------------------------------------------ */

static void takes_away_what_is_not_kept(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    run_on(g_conn,
           "create table a (d date); create table b (d date); create table c (d date); create table e (d date)");
    TrackTable tracks[] = {track_of("a", "d", SQL_TIME_DATE), track_of("b", "d", SQL_TIME_DATE),
                           track_of("c", "d", SQL_TIME_DATE), track_of("e", "d", SQL_TIME_DATE)};
    for (size_t i = 0; i < 4; i++)
        install(&tracks[i]);
    run_on(g_conn, "drop table b; delete from sluice.changes");
    tracks[2].project = "other";
    assert_false(install(&tracks[2])); /* changes hands */
    assert_ok(track_remove_others(g_conn, "p", &tracks[3], 1, &err));
    run_on(g_writer, "insert into a values ('2000-01-01'); insert into c values ('2000-01-02'); "
                     "insert into e values ('2000-01-03')");
    assert_entries("public.c {[1,2)}; public.e {[2,3)}");
    assert_false(holds(&tracks[0]));
    assert_true(holds(&tracks[2]));
    assert_true(holds(&tracks[3]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(records_what_statements_touch, reset),
        cmocka_unit_test_setup(records_statements_of_many_rows, reset),
        cmocka_unit_test_setup(records_every_way_of_writing, reset),
        cmocka_unit_test_setup(says_once_what_a_transaction_says_often, reset),
        cmocka_unit_test_setup(records_times_of_each_type, reset),
        cmocka_unit_test_setup(takes_any_name, reset),
        cmocka_unit_test_setup(needs_no_rights_of_writers, reset),
        cmocka_unit_test_setup(tracks_every_partition, reset),
        cmocka_unit_test_setup(tracks_tables_that_inherit, reset),
        cmocka_unit_test_setup(notices_what_went_past_the_triggers, reset),
        cmocka_unit_test_setup(notices_another_time_column, reset),
        cmocka_unit_test_setup(takes_triggers_off_what_was_detached, reset),
        cmocka_unit_test_setup(refuses_what_cannot_be_complete, reset),
        cmocka_unit_test_setup(looks_for_subscriptions, reset),
        cmocka_unit_test_setup(gives_up_where_a_writer_does_not_end, reset),
        cmocka_unit_test_setup(takes_away_what_is_not_kept, reset),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
