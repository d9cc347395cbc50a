#include "fixture.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "pg/copy.h"
#include "pg/wire.h"

static char *g_project;
static Text g_url;

static Conn *connect_here(void)
{
    ERROR_AUTO(err);
    ConnOptions options = {.url = text_str(&g_url), .project = "copy"};
    Conn *conn = NULL;
    conn_open(&options, &conn, &err);
    fixture_show(&err);
    assert_non_null(conn);
    return conn;
}

static int64_t count_of(Conn *conn, const char *sql)
{
    ERROR_AUTO(err);
    ROWS_AUTO(rows);
    assert_ok(conn_query(conn, sql, 0, NULL, &rows, &err));
    return rows_int(rows, 0, 0);
}

static void takes_text_in_any_pieces(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(conn);
    conn = connect_here();
    assert_ok(conn_exec(conn, "create temp table t (a int, b text)", &err));
    TEXT_AUTO(data);
    for (int i = 1; i <= 20000; i++)
        text_appendf(&data, "%d\tzeile %d\\nä\n", i, i);
    static const size_t pieces[] = {1000003, 7, 4096};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        int64_t rows = 0;
        assert_ok(copy_begin(conn, "copy t from stdin", &err));
        for (size_t at = 0; at < data.len; at += pieces[p])
            assert_ok(copy_put(conn, data.data + at, data.len - at < pieces[p] ? data.len - at : pieces[p], &err));
        assert_ok(copy_end(conn, &rows, &err));
        assert_int_equal(rows, 20000);
    }
    assert_int_equal(count_of(conn, "select count(*) from t where b = 'zeile ' || a || E'\\nä'"), 60000);
}

static void takes_binary(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(conn);
    conn = connect_here();
    assert_ok(conn_exec(conn, "create temp table t (a int, b text)", &err));
    static const char data[] = "PGCOPY\n\377\r\n\0"
                               "\0\0\0\0"
                               "\0\0\0\0"
                               "\0\2\0\0\0\4\0\0\0\7\377\377\377\377"
                               "\0\2\0\0\0\4\377\377\377\376\0\0\0\2hi"
                               "\377\377";
    int64_t rows = 0;
    assert_ok(copy_begin(conn, "copy t from stdin (format binary)", &err));
    assert_ok(copy_put(conn, data, sizeof data - 1, &err));
    assert_ok(copy_end(conn, &rows, &err));
    assert_int_equal(rows, 2);
    assert_int_equal(count_of(conn, "select sum(a) from t where b is null or b = 'hi'"), 5);
}

static void names_the_record(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        int64_t record;
        const char *column, *sqlstate;
    } cases[] = {
        {"1\tx\nzwei\ty\n", 2, "a, b: \"c", "22P02"}, {"1\n", 1, "d", "22P04"},
        {"1\tx\n2\t\\N\n", 2, "d", "23502"},          {"1\tx\n1\ty\n", 2, NULL, "23505"},
        {"1\tx\n2\ty\n\\.\n", 0, NULL, ""},
    };
    CONN_AUTO(conn);
    conn = connect_here();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO(err);
        assert_ok(conn_exec(conn,
                            "drop table if exists \"my, stage\"; "
                            "create temp table \"my, stage\" (\"a, b: \"\"c\" int primary key, d text not null)",
                            &err));
        int64_t rows = 0;
        assert_ok(copy_begin(conn, "copy \"my, stage\" from stdin", &err));
        assert_ok(copy_put(conn, cases[i].data, strlen(cases[i].data), &err));
        if (cases[i].record == 0) {
            assert_ok(copy_end(conn, &rows, &err));
            assert_int_equal(copy_error_record(conn), 0);
            continue;
        }
        assert_false(copy_end(conn, &rows, &err));
        assert_int_equal(err.code, ERROR_FAILED);
        assert_string_equal(err.sqlstate, cases[i].sqlstate);
        assert_int_equal(copy_error_record(conn), cases[i].record);
        if (i == 0)
            continue; /* a name like this one nobody can tell from the value */
        if (cases[i].column && copy_error_column(conn))
            assert_string_equal(copy_error_column(conn), cases[i].column);
        assert_int_equal(count_of(conn, "select 1"), 1);
        assert_int_equal(copy_error_record(conn), 0);
    }
}

static void reads_contexts(void **state)
{
    (void)state;
    static const struct {
        const char *context, *given;
        int64_t record;
        const char *column;
    } cases[] = {
        {"COPY stage, line 17, column a: \"x, line 9, column z: \"", NULL, 17, "a"},
        {"COPY stage, line 17, column a", NULL, 17, "a"},
        {"COPY stage, line 3, column due date: null input", NULL, 3, "due date"},
        {"COPY stage, line 12345678901: \"1,2\"", NULL, INT64_C(12345678901), NULL},
        {"COPY stage, line 4", "id", 4, "id"},
        {"COPY stage, line 4, column a: \"1\"", "b", 4, "b"},
        {"COPY s, Zeile 8, Spalte Größe: \"x\"", NULL, 8, "Größe"},
        {"COPY s, línea 8, columna a: «x»", NULL, 8, "a"},
        {"COPY a, b, line 5, column c: \"1\"", NULL, 5, "c"},
        {"PL/pgSQL function f() line 3 at RAISE\nCOPY t, line 2, column a: \"x\"", NULL, 2, "a"},
        {"SQL statement \"x, line 7\"\nCOPY t, line 2", NULL, 2, NULL},
        {"COPY stage, line 0", NULL, 0, NULL},
        {"COPY stage, line 99999999999999999999", NULL, INT64_MAX, NULL},
        {"COPY stage, line", NULL, 0, NULL},
        {"COPY ", NULL, 0, NULL},
        {"", NULL, 0, NULL},
        {NULL, NULL, 0, NULL},
        {NULL, "id", 0, "id"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Conn conn = {0};
        copy_read_context(&conn, cases[i].context, cases[i].given);
        if (conn.copy_record != cases[i].record || !str_eq(conn.copy_column, cases[i].column))
            fail_msg("\"%s\": %ld, %s", cases[i].context, (long)conn.copy_record, conn.copy_column);
        free(conn.copy_column);
    }
}

static void stops_sending_to_a_copy_that_failed(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(conn);
    conn = connect_here();
    assert_ok(conn_exec(conn, "create temp table t (a int)", &err));
    assert_ok(copy_begin(conn, "copy t from stdin", &err));
    TEXT_AUTO(data);
    text_append(&data, "1\n2\nthree\n");
    while (data.len < 60000)
        text_append(&data, "4\n");
    size_t sent = 0;
    while (sent < (size_t)1 << 30 && copy_put(conn, data.data, data.len, &err))
        sent += data.len;
    assert_true(sent < (size_t)64 << 20);
    assert_string_equal(err.sqlstate, "22P02");
    assert_says(err.message, "\"three\"");
    assert_int_equal(copy_error_record(conn), 3);
    assert_string_equal(copy_error_column(conn), "a");
    assert_int_equal(count_of(conn, "select count(*) from t"), 0);
}

static void notices_are_no_errors(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(conn);
    conn = connect_here();
    assert_ok(conn_exec(conn,
                        "create temp table t (a int); create function pg_temp.loud() returns trigger language plpgsql "
                        "as $$ begin raise notice '%', repeat('n', 3000); return new; end $$; "
                        "create trigger loud before insert on t for each row execute function pg_temp.loud()",
                        &err));
    int64_t rows = 0;
    assert_ok(copy_begin(conn, "copy t from stdin", &err));
    TEXT_AUTO(data);
    for (int i = 0; i < 1000; i++)
        text_append(&data, "000000000000000000000000000000000000000000000000000000000000000000000000000000000000007\n");
    for (int i = 0; i < 20; i++)
        assert_ok(copy_put(conn, data.data, data.len, &err));
    assert_ok(copy_end(conn, &rows, &err));
    assert_int_equal(rows, 20000);
}

static void ends_on_demand(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(conn);
    conn = connect_here();
    TxnOptions options = {0};
    assert_ok(conn_exec(conn, "create temp table t (a int)", &err));
    assert_ok(conn_begin(conn, &options, &err));
    assert_ok(copy_begin(conn, "copy t from stdin", &err));
    assert_ok(copy_put(conn, "1\n", 2, &err));
    copy_cancel(conn, "the file is bad");
    conn_rollback(conn);
    assert_true(conn_alive(conn));
    assert_ok(conn_begin(conn, &options, &err));
    assert_ok(copy_begin(conn, "copy t from stdin", &err));
    conn_rollback(conn); /* with the COPY still open there is no way back */
    copy_cancel(conn, "late");
    assert_false(copy_begin(conn, "select 1", &err));
}

static void begin_tells_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *message;
    } cases[] = {
        {"copy nowhere from stdin", "relation \"nowhere\" does not exist"},
        {"select 1", "no COPY FROM STDIN"},
        {"copy t fro stdin", "syntax error"},
    };
    CONN_AUTO(conn);
    conn = connect_here();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO(err);
        assert_false(copy_begin(conn, cases[i].sql, &err));
        assert_int_equal(err.code, ERROR_FAILED);
        assert_says(err.message, cases[i].message);
        assert_int_equal(count_of(conn, "select 1"), 1);
    }
}

static void tells_of_a_lost_connection(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(conn);
    conn = connect_here();
    CONN_AUTO(killer);
    killer = connect_here();
    assert_ok(conn_exec(conn, "create temp table t (a int)", &err));
    assert_ok(copy_begin(conn, "copy t from stdin", &err));
    TEXT_AUTO(sql);
    text_appendf(&sql, "select pg_terminate_backend(%d, 5000)", conn_backend_pid(conn));
    assert_ok(conn_exec(killer, text_str(&sql), &err));
    TEXT_AUTO(data);
    while (data.len < 100000)
        text_append(&data, "4\n");
    bool ok = true;
    for (int i = 0; i < 1000 && ok; i++)
        ok = copy_put(conn, data.data, data.len, &err);
    assert_false(ok);
    assert_int_equal(err.code, ERROR_CONNECTION);
    assert_says(err.message, "was lost");
    copy_cancel(conn, "too late");
    assert_false(conn_alive(conn));
}

static void signal_child(Conn *conn)
{
    ERROR_AUTO(err);
    interrupt_setup();
    TEXT_AUTO(data);
    while (data.len < 100000)
        text_append(&data, "4\n");
    bool ok = conn_exec(conn, "create temp table t (a int)", &err) && copy_begin(conn, "copy t from stdin", &err) &&
              copy_put(conn, data.data, data.len, &err);
    raise(SIGTERM);
    bool put = copy_put(conn, data.data, data.len, &err);
    bool alive = conn_alive(conn);
    conn_close(conn);
    _exit(ok && !put && err.code == ERROR_CANCELLED && alive ? 0 : 1);
}

static void a_signal_ends_it(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        signal_child(connect_here());
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static int setup(void **state)
{
    (void)state;
    return fixture_start("copy", &g_project, &g_url);
}

static int teardown(void **state)
{
    (void)state;
    return fixture_stop(g_project, &g_url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_text_in_any_pieces),
        cmocka_unit_test(takes_binary),
        cmocka_unit_test(names_the_record),
        cmocka_unit_test(reads_contexts),
        cmocka_unit_test(stops_sending_to_a_copy_that_failed),
        cmocka_unit_test(notices_are_no_errors),
        cmocka_unit_test(ends_on_demand),
        cmocka_unit_test(begin_tells_what_is_wrong),
        cmocka_unit_test(tells_of_a_lost_connection),
        cmocka_unit_test(a_signal_ends_it),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
