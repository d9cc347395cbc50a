#include "fixture.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "pg/conn.h"

static char *g_project;
static Text g_url;

static Conn *open_as(const char *more, Error *err)
{
    TEXT_AUTO(url);
    text_appendf(&url, "%s %s", text_str(&g_url), more);
    ConnOptions options = {.url = text_str(&url), .project = "loans"};
    Conn *conn = NULL;
    conn_open(&options, &conn, err);
    return conn;
}

static Conn *connect_here(void)
{
    ERROR_AUTO(err);
    Conn *conn = open_as("", &err);
    fixture_show(&err);
    assert_non_null(conn);
    return conn;
}

/* The one value of a query, copied; the caller frees it. */
static char *value_of(Conn *conn, const char *sql)
{
    ERROR_AUTO(err);
    ROWS_AUTO(rows);
    assert_ok(conn_query(conn, sql, 0, NULL, &rows, &err));
    return mem_strdup(rows_get(rows, 0, 0));
}

static void assert_value(Conn *conn, const char *sql, const char *expected)
{
    char *value CLEANUP(mem_free_p) = value_of(conn, sql);
    assert_string_equal(value, expected);
}

static void binds_parameters_and_nulls(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(conn);
    conn = connect_here();
    ROWS_AUTO(rows);
    const char *params[] = {"it's $2; drop", NULL, "-9223372036854775808"};
    assert_ok(conn_query(conn, "select $1::text as a, $2::text as \"B b\", $3::bigint, true, null::bool, null::int", 3,
                         params, &rows, &err));
    assert_int_equal(rows_count(rows), 1);
    assert_int_equal(rows_columns(rows), 6);
    assert_string_equal(rows_name(rows, 1), "B b");
    assert_string_equal(rows_get(rows, 0, 0), "it's $2; drop");
    assert_null(rows_get(rows, 0, 1));
    assert_true(rows_int(rows, 0, 2) == INT64_MIN);
    assert_true(rows_bool(rows, 0, 3));
    assert_false(rows_bool(rows, 0, 4));
    assert_int_equal(rows_int(rows, 0, 5), 0);
}

static void names_itself_and_pins_settings(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    setenv("PGAPPNAME", "other", 1);
    setenv("PGCLIENTENCODING", "LATIN1", 1);
    CONN_AUTO(conn);
    conn = connect_here();
    unsetenv("PGAPPNAME");
    unsetenv("PGCLIENTENCODING");
    assert_value(conn, "show application_name", "sluice/loans");
    assert_value(conn, "show client_encoding", "UTF8");
    assert_ok(conn_exec(conn,
                        "create schema \"od\"\"d\"; set timezone = 'Asia/Tokyo'; set datestyle = 'German'; "
                        "set array_nulls = off",
                        &err));
    TxnOptions options = {.schema = "od\"d",
                          .timezone = "Europe/Berlin",
                          .lock_timeout = 1500,
                          .repeatable_read = true,
                          .read_only = true};
    assert_ok(conn_begin(conn, &options, &err));
    static const char *const expected[][2] = {
        {"TimeZone", "Europe/Berlin"},
        {"search_path", "\"od\"\"d\""},
        {"datestyle", "ISO, YMD"},
        {"lock_timeout", "1500ms"},
        {"transaction_isolation", "repeatable read"},
        {"transaction_read_only", "on"},
        {"row_security", "off"},
        {"extra_float_digits", "1"},
        {"client_connection_check_interval", "1s"},
        {"intervalstyle", "postgres"},
        {"bytea_output", "hex"},
        {"array_nulls", "on"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        TEXT_AUTO(sql);
        text_appendf(&sql, "show %s", expected[i][0]);
        assert_value(conn, text_str(&sql), expected[i][1]);
    }
    assert_ok(conn_commit(conn, &err));
    assert_ok(conn_exec(conn, "set default_transaction_isolation = 'repeatable read'", &err));
    assert_ok(conn_begin(conn, &(TxnOptions){0}, &err));
    assert_value(conn, "show transaction_isolation", "read committed");
    assert_ok(conn_commit(conn, &err));
    assert_value(conn, "show timezone", "Asia/Tokyo"); /* nothing outlives the transaction */
    options = (TxnOptions){.timezone = "Mars/Olympus"};
    assert_false(conn_begin(conn, &options, &err));
    assert_int_equal(err.code, ERROR_FAILED);
    assert_says(err.message, "Mars/Olympus");
    assert_value(conn, "select 'usable'", "usable");
}

static void reports_errors_with_place(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *sqlstate, *message;
        int position;
    } cases[] = {
        {"select 'äö' from where", "42601", NULL, 0},
        {"select 'äöü', nope", "42703", "column \"nope\" does not exist", 15},
        {"select * from nowhere", "42P01", "relation \"nowhere\" does not exist", 15},
        {"select 1/0", "22012", "division by zero", 0},
        {"select 'x'::date", "22007", "invalid input syntax for type date: \"x\"", 8},
        {"select 1; select 2", "42601", "cannot insert multiple commands into a prepared statement", 0},
    };
    CONN_AUTO(conn);
    conn = connect_here();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO(err);
        assert_false(conn_query(conn, cases[i].sql, 0, NULL, NULL, &err));
        assert_int_equal(err.code, ERROR_FAILED);
        assert_string_equal(err.sqlstate, cases[i].sqlstate);
        if (cases[i].message) {
            assert_string_equal(err.message, cases[i].message);
            assert_int_equal(conn_error_position(conn), cases[i].position);
        }
    }
    assert_value(conn, "select 1", "1");
    assert_int_equal(conn_error_position(conn), 0);
}

static void copies_detail_hint_and_function(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(conn);
    conn = connect_here();
    assert_ok(conn_exec(conn,
                        "create function angry() returns int language plpgsql as $$ begin raise exception 'no\nway' "
                        "using detail = 'the detail', hint = 'the hint', errcode = 'P0042'; end $$",
                        &err));
    assert_false(conn_exec(conn, "select angry()", &err));
    assert_string_equal(err.message, "no way");
    assert_says(err.detail, "the detail");
    assert_says(err.detail, "PL/pgSQL function angry() line 1 at RAISE");
    assert_string_equal(err.hint, "the hint");
    assert_string_equal(err.sqlstate, "P0042");
}

static void counts_rows_of_the_last_statement(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(conn);
    conn = connect_here();
    int64_t n = -1;
    assert_ok(conn_exec_counted(conn,
                                "create temp table t (a int); insert into t select generate_series(1, 7); "
                                "delete from t where a > 4",
                                &n, &err));
    assert_int_equal(n, 3);
    assert_ok(conn_exec_counted(conn, "", &n, &err));
    assert_int_equal(n, 0);
}

static void failed_transactions_do_not_commit(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(conn);
    conn = connect_here();
    TxnOptions options = {0};
    assert_ok(conn_exec(conn, "create temp table t (a int primary key deferrable initially deferred)", &err));
    assert_ok(conn_begin(conn, &options, &err));
    assert_false(conn_exec(conn, "select 1/0", &err));
    assert_false(conn_commit(conn, &err));
    assert_int_equal(err.code, ERROR_FAILED);
    assert_says(err.message, "rolled back");
    assert_ok(conn_begin(conn, &options, &err));
    assert_ok(conn_exec(conn, "insert into t values (1), (1)", &err));
    assert_false(conn_commit(conn, &err));
    assert_string_equal(err.sqlstate, "23505");
    assert_ok(conn_begin(conn, &options, &err));
    assert_false(conn_exec(conn, "nonsense", &err));
    conn_rollback(conn);
    conn_rollback(conn); /* outside a transaction: nothing */
    assert_value(conn, "select count(*) from t", "0");
}

static void stray_copy_is_refused(void **state)
{
    (void)state;
    static const char *const statements[] = {"copy (select 1) to stdout",
                                             "create temp table c (a int); copy c from stdin"};
    for (size_t i = 0; i < 2; i++) {
        ERROR_AUTO(err);
        CONN_AUTO(conn);
        conn = connect_here();
        assert_false(conn_exec(conn, statements[i], &err));
        assert_says(err.message, "COPY");
        assert_false(conn_alive(conn));
    }
}

static void notices_a_lost_connection(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    CONN_AUTO(victim);
    victim = connect_here();
    CONN_AUTO(killer);
    killer = connect_here();
    TEXT_AUTO(sql);
    text_appendf(&sql, "select pg_terminate_backend(%d, 5000)", conn_backend_pid(victim));
    assert_true(conn_alive(victim));
    assert_value(killer, text_str(&sql), "t");
    assert_false(conn_exec(victim, "select 1", &err));
    assert_int_equal(err.code, ERROR_CONNECTION);
    assert_says(err.message, "was lost: terminating connection due to administrator command");
    assert_says(err.message, " on /tmp/");
    assert_false(conn_alive(victim));
    assert_false(conn_exec(victim, "select 1", &err));
    assert_int_equal(err.code, ERROR_CONNECTION);
    conn_rollback(victim);
}

/* What depends on a signal runs in a child: the signal stays for the rest of a program's life. */
static void in_child(void (*f)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        interrupt_setup();
        f();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

#define require(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

static void cancel_child(void)
{
    ERROR_AUTO(err);
    Conn *conn = open_as("", &err);
    require(conn);
    require(conn_exec(conn, "begin; create table half_done (a int)", &err));
    struct itimerval soon = {.it_value = {.tv_usec = 200000}};
    struct sigaction action;
    sigaction(SIGTERM, NULL, &action);
    sigaction(SIGALRM, &action, NULL); /* an alarm counts as the signal */
    setitimer(ITIMER_REAL, &soon, NULL);
    int64_t start = clock_monotonic();
    require(!conn_exec(conn, "select pg_sleep(60)", &err));
    require(clock_monotonic() - start < 3000000);
    require(err.code == ERROR_CANCELLED);
    require(!conn_exec(conn, "select 1", &err) && err.code == ERROR_CANCELLED); /* nothing new begins */
    require(conn_alive(conn));
    conn_rollback(conn);
    conn_shield(conn, 5); /* but the end can be recorded */
    int64_t n = 0;
    require(conn_exec_counted(conn, "select from pg_class where relname = 'half_done'", &n, &err) && n == 0);
    conn_shield(conn, 1);
    require(!conn_exec(conn, "select pg_sleep(20)", &err)); /* within bounds */
    require(err.code == ERROR_CONNECTION && clock_monotonic() - start < 4000000);
    conn_close(conn);
    ConnOptions options = {.url = text_str(&g_url)};
    require(!conn_open(&options, &conn, &err) && err.code == ERROR_CANCELLED);
}

static void a_signal_cancels(void **state)
{
    (void)state;
    in_child(cancel_child);
}

static void bad_urls_are_not_echoed(void **state)
{
    (void)state;
    static const char *const urls[] = {"postgresql://u:hunter22secret@h:port:5/x?y", "password=hunter22secret foo",
                                       "hunter22secret", "postgresql://u:hunter22secret%zz@h/x",
                                       "postgresql://u:hunter22/secret%zz@h/x"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        ERROR_AUTO(err);
        Conn *conn = NULL;
        ConnOptions options = {.url = urls[i]};
        assert_false(conn_open(&options, &conn, &err));
        assert_int_equal(err.code, ERROR_PROJECT);
        assert_null(conn);
        assert_null(strstr(err.message, "hunter22"));
        assert_non_null(err.hint);
        assert_null(strstr(err.hint, "hunter22"));
    }
}

static void tells_why_it_cannot_connect(void **state)
{
    (void)state;
    static const struct {
        const char *url, *message, *hint;
    } cases[] = {
        {"postgresql://u:topsecret1@127.0.0.1:1/loans",
         "cannot connect to loans on 127.0.0.1:1: ", "is the server running"},
        {"host=/nonexistent-directory dbname=loans",
         "cannot connect to loans on /nonexistent-directory: ", "is the server running"},
        {"host=no-such-host.invalid dbname=loans", "no-such-host.invalid", NULL},
        {"postgresql://u:topsecret1/x@127.0.0.1:1/t", "cannot connect to the database: its url is not clear",
         "percent"},
        /* libpq takes topsecret1 for the host, and t@p... for the database */
        {"postgresql://u:p@topsecret1/t@p/topsecret1@127.0.0.1:1/t",
         "cannot connect to the database: its url is not clear", "percent-encode / # ? @ in the password"},
        {"host=127.0.0.1 dbname=x sslmode=sometimes", "sslmode", "sslmode"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO(err);
        Conn *conn = NULL;
        ConnOptions options = {.url = cases[i].url};
        assert_false(conn_open(&options, &conn, &err));
        assert_int_equal(err.code, ERROR_CONNECTION);
        assert_says(err.message, cases[i].message);
        assert_null(strchr(err.message, '\n'));
        assert_null(strstr(err.message, "topsecret1"));
        if (cases[i].hint)
            assert_says(err.hint, cases[i].hint);
    }
}

static void keeps_sqlstate_of_a_refusal(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    assert_null(open_as("dbname=missing_db", &err));
    assert_int_equal(err.code, ERROR_CONNECTION);
    assert_string_equal(err.sqlstate, "3D000");
    assert_says(err.message, "cannot connect to missing_db on /");
    assert_says(err.message, ": database \"missing_db\" does not exist");
    assert_null(strstr(err.message, "LOCATION"));
    assert_says(err.hint, "createdb missing_db");
    assert_null(open_as("user=nobody_here", &err));
    assert_string_equal(err.sqlstate, "28000");
}

/* A server of one answer: an ErrorResponse, as PostgreSQL sends it. */
typedef struct Refuser {
    int fd;
    int attempts;
    const char *answer; /* severity, state, message; NUL after each field */
    size_t len;
} Refuser;

static void *refuse_all(void *arg)
{
    Refuser *refuser = arg;
    int fd;
    while ((fd = accept(refuser->fd, NULL, NULL)) >= 0) {
        char request[1024];
        if (read(fd, request, sizeof request) > 0) {
            uint32_t length = htonl((uint32_t)refuser->len + 4);
            char head[5] = {'E'};
            memcpy(head + 1, &length, 4);
            ssize_t a = write(fd, head, 5), b = write(fd, refuser->answer, refuser->len);
            (void)a;
            (void)b;
            refuser->attempts++;
        }
        close(fd);
    }
    return NULL;
}

static int attempts_at(const char *answer, size_t len, int retry_for, const char *user, Error *err)
{
    Refuser refuser = {.answer = answer, .len = len, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    assert_int_equal(bind(refuser.fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(refuser.fd, 5), 0);
    getsockname(refuser.fd, (struct sockaddr *)&address, &size);
    pthread_t thread;
    pthread_create(&thread, NULL, refuse_all, &refuser);
    TEXT_AUTO(url);
    text_appendf(&url, "postgresql://%s@127.0.0.1:%d/loans?sslmode=disable&gssencmode=disable", user,
                 ntohs(address.sin_port));
    ConnOptions options = {.url = text_str(&url), .retry_for = retry_for};
    Conn *conn = NULL;
    assert_false(conn_open(&options, &conn, err));
    shutdown(refuser.fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(refuser.fd);
    return refuser.attempts;
}

static void retries_only_what_passes(void **state)
{
    (void)state;
#define ANSWER(text) (text), sizeof(text)
    ERROR_AUTO(err);
    assert_true(attempts_at(ANSWER("SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0"), 1, "u", &err) > 2);
    assert_string_equal(err.sqlstate, "57P03");
    assert_true(attempts_at(ANSWER("SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0"), 1, "u", &err) > 2);
    assert_says(err.hint, "max_connections");
    assert_int_equal(attempts_at(ANSWER("SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0"), 0, "u", &err),
                     1);
    assert_int_equal(attempts_at(ANSWER("SFATAL\0VFATAL\0C3D000\0Mno such db\0"), 2, "u", &err), 1);
    /* In any language, and never with the password, though the server were to repeat it. */
    assert_int_equal(
        attempts_at(ANSWER("SFATAL\0VFATAL\0C28P01\0MPasswort s3cr\303\244t-1 falsch\0"), 2, "u:s3cr%C3%A4t-1", &err),
        1);
    assert_string_equal(err.sqlstate, "28P01");
    assert_says(err.message, "Passwort *** falsch");
    assert_says(err.hint, "from the url");
    assert_int_equal(attempts_at(ANSWER("SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0"), 2, "u", &err), 1);
    assert_says(err.hint, "PGPASSWORD");
#undef ANSWER
}

static void gives_up_on_silence(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* accepts, and never says a word */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 5), 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    TEXT_AUTO(url);
    text_appendf(&url, "host=127.0.0.1 port=%d connect_timeout=1", ntohs(address.sin_port));
    ConnOptions options = {.url = text_str(&url), .connect_timeout = 30};
    Conn *conn = NULL;
    int64_t start = clock_monotonic();
    assert_false(conn_open(&options, &conn, &err));
    assert_in_range(clock_monotonic() - start, 900000, 2500000);
    assert_says(err.message, "no answer within 1 s");
    /* The hosts after it get their turn; names of the list's forms: host, hostaddr, one port for all. */
    const char *sockets = strstr(text_str(&g_url), "/tmp/");
    text_reset(&url);
    text_appendf(&url, "host=127.0.0.1,127.0.0.1,%.*s port=1,%d,5432 connect_timeout=1 user=sluice dbname=loans",
                 (int)strcspn(sockets, "'"), sockets, ntohs(address.sin_port));
    options.url = text_str(&url);
    assert_ok(conn_open(&options, &conn, &err));
    assert_value(conn, "select current_database()", "loans");
    conn_close(conn);
    text_reset(&url);
    text_appendf(&url, "hostaddr=127.0.0.1,127.0.0.1 port=%d connect_timeout=1", ntohs(address.sin_port));
    options.url = text_str(&url);
    start = clock_monotonic();
    assert_false(conn_open(&options, &conn, &err));
    assert_in_range(clock_monotonic() - start, 1900000, 3500000);
    close(fd);
}

static void quotes_hostile_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "default",
        "a\"b",
        "a\"\"; drop table x; --",
        "select",
        "Größe %s %I",
        "\\",
        "'",
        "\xF0\x9F\x90\x98",
        " ",
        "a\nb",
        "123456789012345678901234567890123456789012345678901234567890123",
    };
    CONN_AUTO(conn);
    conn = connect_here();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ERROR_AUTO(err);
        TEXT_AUTO(sql);
        assert_ok(conn_format(conn, &sql, &err, "select 100 %% 7 as %I, %L::text, %L::int %s", names[i], names[i], NULL,
                              "where true"));
        ROWS_AUTO(rows);
        assert_ok(conn_query(conn, text_str(&sql), 0, NULL, &rows, &err));
        assert_string_equal(rows_get(rows, 0, 0), "2");
        assert_string_equal(rows_name(rows, 0), names[i]);
        assert_string_equal(rows_get(rows, 0, 1), names[i]);
        assert_null(rows_get(rows, 0, 2));
    }
}

static void refuses_names_that_would_be_changed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"", "0 bytes"},
        {"1234567890123456789012345678901234567890123456789012345678901234", "64 bytes"},
        {"a\xC3", "no valid UTF-8"},
        {"\xC0\xA7", "no valid UTF-8"},
    };
    CONN_AUTO(conn);
    conn = connect_here();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO(err);
        TEXT_AUTO(sql);
        assert_false(conn_format(conn, &sql, &err, "select %I", cases[i].name));
        assert_int_equal(err.code, ERROR_PROJECT);
        assert_says(err.message, cases[i].message);
    }
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
        cmocka_unit_test(binds_parameters_and_nulls),
        cmocka_unit_test(names_itself_and_pins_settings),
        cmocka_unit_test(reports_errors_with_place),
        cmocka_unit_test(copies_detail_hint_and_function),
        cmocka_unit_test(counts_rows_of_the_last_statement),
        cmocka_unit_test(failed_transactions_do_not_commit),
        cmocka_unit_test(stray_copy_is_refused),
        cmocka_unit_test(notices_a_lost_connection),
        cmocka_unit_test(a_signal_cancels),
        cmocka_unit_test(bad_urls_are_not_echoed),
        cmocka_unit_test(tells_why_it_cannot_connect),
        cmocka_unit_test(keeps_sqlstate_of_a_refusal),
        cmocka_unit_test(retries_only_what_passes),
        cmocka_unit_test(gives_up_on_silence),
        cmocka_unit_test(quotes_hostile_names),
        cmocka_unit_test(refuses_names_that_would_be_changed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
