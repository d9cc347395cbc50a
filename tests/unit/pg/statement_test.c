#include "fixture.h"

#include "base/clock.h"
#include "pg/conn.h"
#include "pg/copy.h"

static char *g_project;
static Text g_url;

static Conn *connect_here(void)
{
    ERROR_AUTO(err);
    Conn *conn = NULL;
    ConnOptions options = {.url = text_str(&g_url), .project = "loans"};
    assert_ok(conn_open(&options, &conn, &err));
    return conn;
}

static void assert_value(Conn *conn, const char *sql, const char *expected)
{
    ERROR_AUTO(err);
    ROWS_AUTO(rows);
    assert_ok(conn_query(conn, sql, 0, NULL, &rows, &err));
    assert_string_equal(rows_get(rows, 0, 0), expected);
}

/* What is asked again is prepared, which no rollback undoes; only constants are the same text by being the same. */
static void prepares_what_is_asked_often(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(conn);
    conn = connect_here();
    static const char sql[] = "select $1::int + 1, $2::text";
    static const char count[] = "select count(*) from pg_prepared_statements";
    for (int i = 0; i < 4; i++) {
        ROWS_AUTO(rows);
        char number[12];
        snprintf(number, sizeof number, "%d", i);
        assert_ok(i == 2 ? conn_begin(conn, &(TxnOptions){.schema = "public"}, &err) : true);
        assert_ok(conn_query_often(conn, sql, 2, (const char *const[]){number, NULL}, &rows, &err));
        assert_int_equal(rows_int(rows, 0, 0), i + 1);
        assert_null(rows_get(rows, 0, 1));
        assert_value(conn, count, i == 0 ? "0" : "1");
        conn_rollback(conn);
    }
    assert_false(conn_query_often(conn, sql, 2, (const char *const[]){"x", NULL}, NULL, &err));
    assert_string_equal(err.sqlstate, "22P02");
    assert_ok(conn_query_often(conn, sql, 2, (const char *const[]){"1", ""}, NULL, &err));
    static const char wrong[] = "select $1::int / 0 from nowhere";
    for (int i = 0; i < 3; i++) {
        assert_false(conn_query_often(conn, wrong, 1, (const char *const[]){"1"}, NULL, &err));
        assert_string_equal(err.sqlstate, "42P01");
    }
}

/* A statement, and a COPY, that take longer than they may: cancelled, and the connection as good as before. */
static void a_limit_cancels(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(conn);
    conn = connect_here();
    assert_ok(conn_begin(conn, &(TxnOptions){0}, &err));
    conn_limit(conn, clock_monotonic() + 300000);
    assert_ok(conn_exec(conn, "select 1", &err));
    assert_false(conn_overdue(conn));
    int64_t begun = clock_monotonic();
    assert_false(conn_exec(conn, "select pg_sleep(20)", &err));
    assert_true(clock_monotonic() - begun < 5000000);
    assert_int_equal(err.code, ERROR_FAILED);
    assert_true(conn_overdue(conn));
    assert_false(conn_query(conn, "select 1", 0, NULL, NULL, &err)); /* nothing more is begun */
    assert_false(conn_commit(conn, &err));
    conn_rollback(conn);
    conn_limit(conn, 0);
    assert_false(conn_overdue(conn));
    assert_ok(conn_exec(conn, "select 1; create temporary table t (a int)", &err));
    assert_ok(copy_begin(conn, "copy t from stdin", &err));
    conn_limit(conn, clock_monotonic());
    assert_false(copy_put(conn, "1\n", 2, &err));
    assert_true(conn_overdue(conn));
    conn_limit(conn, 0);
    assert_value(conn, "select count(*) from t", "0");
}

static int setup(void **state)
{
    (void)state;
    return fixture_start("loans", &g_project, &g_url);
}

static int teardown(void **state)
{
    (void)state;
    return fixture_stop(g_project, &g_url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prepares_what_is_asked_often),
        cmocka_unit_test(a_limit_cancels),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
