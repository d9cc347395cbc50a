#include "tracking.h"

/* changes: {column: ...} */

static char *snapshot_of(Conn *conn)
{
    ERROR_AUTO(err);
    ROWS_AUTO(rows);
    assert_ok(conn_query(conn, "select pg_current_snapshot()", 0, NULL, &rows, &err));
    return mem_strdup(rows_get(rows, 0, 0));
}

static void assert_by_column(const TrackTable *track, const char *snapshot, const char *expected)
{
    ERROR_AUTO(err);
    Touched touched;
    TEXT_AUTO(text);
    assert_ok(track_by_column(g_conn, track, snapshot, &touched, &err));
    change_ranges_text(&touched.ranges, track->table.time_type, &text);
    text_appendf(&text, "%s%s", touched.nulls ? " nulls" : "", touched.everything ? " everything" : "");
    assert_string_equal(text_str(&text), expected);
}

static void finds_rows_by_their_age(void **state)
{
    (void)state;
    run_on(g_conn, "create table t (d date, at timestamptz); insert into t values ('2000-01-01')");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE);
    track.trigger = false;
    track.column = "at";
    assert_by_column(&track, NULL, "{} everything");
    run_on(g_writer, "begin; insert into t values ('2000-01-05')");
    run_on(g_conn, "select pg_current_xact_id()");
    char *before CLEANUP(mem_free_p) = snapshot_of(g_conn);
    assert_by_column(&track, before, "{}");
    run_on(g_writer, "savepoint a; insert into t values ('2000-01-06'); commit"); /* by a transaction within */
    assert_by_column(&track, before, "{[4,6)}");
    char *after CLEANUP(mem_free_p) = snapshot_of(g_conn);
    assert_by_column(&track, after, "{}");
    run_on(g_writer, "vacuum freeze t");
    assert_by_column(&track, after, "{}");
    run_on(g_writer, "insert into t values (null), ('2000-02-01')");
    assert_by_column(&track, after, "{[31,32)} nulls");
    run_on(g_conn, "begin; insert into t values ('2000-03-01')");
    assert_by_column(&track, after, "{[31,32),[60,61)} nulls");
    run_on(g_conn, "rollback");
    TrackTable undated = track;
    undated.table.time_column = NULL;
    assert_by_column(&undated, after, "{} everything");
    char *last CLEANUP(mem_free_p) = snapshot_of(g_conn);
    assert_by_column(&undated, last, "{}");
}

static void does_not_trust_ages_that_say_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
    } ways[] = {
        {"truncate t"},
        {"alter table t rename to u; create table t (d date, at timestamptz)"},
        {"create table t_1 () inherits (t)"},
        {"alter table t set unlogged"},
        {"alter table t rename column at to et"},
        {"alter table t alter column d type timestamp"},
        {"alter table t rename to u; create view t as select * from u"},
        {"drop table t"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        reset(NULL);
        run_on(g_conn, "create table t (d date, at timestamptz); insert into t values ('2000-01-01')");
        TrackTable track = track_of("t", "d", SQL_TIME_DATE);
        track.column = "at";
        char *now CLEANUP(mem_free_p) = snapshot_of(g_conn);
        assert_by_column(&track, now, "{}");
        run_on(g_writer, ways[i].sql);
        assert_by_column(&track, now, "{} everything");
    }
    reset(NULL);
    run_on(g_conn, "create table t (d date, at timestamptz) partition by range (d); create table t_1 (like t); "
                   "insert into t_1 values ('2000-02-01'); "
                   "create table t_2 partition of t for values from ('2000-03-01') to ('2000-04-01')");
    TrackTable track = track_of("t", "d", SQL_TIME_DATE);
    track.column = "at";
    char *now CLEANUP(mem_free_p) = snapshot_of(g_conn);
    run_on(g_writer, "insert into t values ('2000-03-05')");
    assert_by_column(&track, now, "{[64,65)}");
    run_on(g_writer, "alter table t attach partition t_1 for values from ('2000-02-01') to ('2000-03-01')");
    assert_by_column(&track, now, "{} everything");
    assert_by_column(&track, "99999999999:99999999999:", "{} everything"); /* of another server */
    track.column = "nowhere";
    char *last CLEANUP(mem_free_p) = snapshot_of(g_conn);
    assert_by_column(&track, last, "{} everything");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(finds_rows_by_their_age, reset),
        cmocka_unit_test_setup(does_not_trust_ages_that_say_nothing, reset),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
