#include "../pg/fixture.h"

#include "base/process.h"
#include "record/fence.h"
#include "record/ledger.h"

/* What runs leave behind whose process was killed: a backend that holds a table's lock, a run said to be running. */

static char *g_project;
static Text g_url;
static Conn *g_conn;

static Conn *open_as(const char *project)
{
    ERROR_AUTO(err);
    Conn *conn = NULL;
    ConnOptions options = {.url = text_str(&g_url), .project = project};
    assert_ok(conn_open(&options, &conn, &err));
    return conn;
}

static int group_setup(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    if (fixture_start("lost", &g_project, &g_url) != 0)
        return -1;
    g_conn = open_as("watcher");
    return ledger_open(g_conn, &err) &&
                   conn_exec(g_conn,
                             "create role weak; grant usage on schema sluice to weak;"
                             "grant select on all tables in schema sluice to weak;"
                             "grant insert, update on sluice.fences, sluice.backfill_chunks to weak",
                             &err)
               ? 0
               : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    conn_close(g_conn);
    return fixture_stop(g_project, &g_url);
}

/* A run of this machine whose process lives, or is gone: its pid was given to another. */
static int64_t make_run(const char *project, bool gone, const char *age)
{
    ERROR_AUTO(err);
    TEXT_AUTO(process);
    process_identity(&process);
    if (gone) {
        process.len = (size_t)(strrchr(process.data, '/') - process.data);
        text_append(&process, "/1");
    }
    ROWS_AUTO(rows);
    assert_ok(conn_query(g_conn,
                         "insert into sluice.runs (project, target, command, started_at, host, process, program) "
                         "values ($1, 'dev', 'run', now() - $3::interval, 'here', $2, '0') returning run_id",
                         3, (const char *const[]){project, text_str(&process), age}, &rows, &err));
    return rows_int(rows, 0, 0);
}

static bool is_running(int64_t run_id)
{
    ERROR_AUTO(err);
    ROWS_AUTO(rows);
    TEXT_AUTO(sql);
    text_appendf(&sql, "select outcome = 'running' from sluice.runs where run_id = %ld", (long)run_id);
    assert_ok(conn_query(g_conn, text_str(&sql), 0, NULL, &rows, &err));
    return rows_bool(rows, 0, 0);
}

/* A connection whose transaction holds the lock on public.t for a run. */
static Conn *holder_of(int64_t run_id)
{
    ERROR_AUTO(err);
    Conn *conn = open_as("loans");
    assert_ok(conn_begin(conn, &(TxnOptions){0}, &err));
    assert_ok(fence_lock_in_txn(conn, "public", "t", run_id, "loans", false, &err));
    return conn;
}

static void ends_the_backend_of_a_killed_run(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(orphan);
    orphan = holder_of(make_run("loans", true, "1 s"));
    assert_ok(conn_begin(g_conn, &(TxnOptions){0}, &err));
    assert_ok(fence_lock_in_txn(g_conn, "public", "t", make_run("loans", false, "0 s"), "loans", false, &err));
    assert_false(conn_exec(orphan, "select 1", &err));
    conn_rollback(g_conn);
}

static void leaves_a_live_run_alone(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(holder);
    holder = holder_of(make_run("loans", false, "1 s"));
    int64_t other = make_run("loans", false, "0 s");
    assert_ok(conn_begin(g_conn, &(TxnOptions){0}, &err));
    assert_false(fence_lock_in_txn(g_conn, "public", "t", other, "loans", false, &err));
    assert_int_equal(err.code, ERROR_BUSY);
    assert_ok(conn_exec(holder, "select 1", &err));
    conn_rollback(g_conn);
}

/* A role that may not end the backend is told that the table is busy, and its transaction is as good as before. */
static void asks_for_no_more_than_the_role_may(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(orphan);
    orphan = holder_of(make_run("loans", true, "1 s"));
    int64_t other = make_run("loans", false, "0 s");
    assert_ok(conn_begin(g_conn, &(TxnOptions){.lock_timeout = 200}, &err));
    assert_ok(conn_exec(g_conn, "set local role weak", &err));
    assert_false(fence_lock_in_txn(g_conn, "public", "t", other, "loans", false, &err));
    assert_int_equal(err.code, ERROR_BUSY);
    assert_ok(conn_exec(g_conn, "select 1", &err));
    assert_false(fence_lock_in_txn(g_conn, "public", "t", other, "loans", true, &err)); /* it waits, and not for ever */
    assert_string_equal(err.sqlstate, "55P03");
    assert_ok(conn_exec(orphan, "select 1", &err));
    conn_rollback(g_conn);
}

/* By process on this machine, else by the project's sessions: one of them shows that a run may live. */
static void finds_lost_runs(void **state)
{
    (void)state;
    static const struct {
        const char *project, *session;
        bool lost;
    } cases[] = {
        {"loans", NULL, true},
        {"loans", "loans", false},
        {"loans", "loans2", true},
        {"loan_", "loans", true},
        {"b\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3"
         "\xBC"
         "\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC",
         "b\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3"
         "\xBC"
         "\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC",
         false},
        {"a project that has a name of 64 bytes which is more than is sent",
         "a project that has a name of 64 bytes which is more than is sent", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO(err);
        CONN_AUTO(session);
        session = cases[i].session ? open_as(cases[i].session) : NULL;
        int64_t old = make_run(cases[i].project, false, "2 minutes");
        int64_t fresh = make_run(cases[i].project, false, "1 s");
        int64_t gone = make_run(cases[i].project, true, "1 s");
        assert_ok(ledger_mark_lost(g_conn, cases[i].project, &err));
        if (is_running(old) == cases[i].lost)
            fail_msg("a run of %s, with a session of %s", cases[i].project, cases[i].session);
        assert_true(is_running(fresh));
        assert_false(is_running(gone));
        if (!session)
            continue;
        assert_ok(conn_begin(session, &(TxnOptions){0}, &err)); /* and within a step */
        assert_ok(fence_lock_in_txn(session, "public", "u", fresh, cases[i].session, false, &err));
        int64_t another = make_run(cases[i].project, false, "2 minutes");
        assert_ok(ledger_mark_lost(g_conn, cases[i].project, &err));
        assert_int_equal(is_running(another), !cases[i].lost);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_the_backend_of_a_killed_run),
        cmocka_unit_test(leaves_a_live_run_alone),
        cmocka_unit_test(asks_for_no_more_than_the_role_may),
        cmocka_unit_test(finds_lost_runs),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
