#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "pg/conn.h"

static char *g_project; /* of this test, see new_project() */

static char *path_of(const char *below)
{
    Text path = {0};
    text_appendf(&path, "%s/%s", g_project, below);
    return text_steal(&path);
}

/* With its parents. */
static void make_dir(const char *path)
{
    for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
        const char *end = strchr(slash + 1, '/');
        char *dir CLEANUP(mem_free_p) = strndup(path, end ? (size_t)(end - path) : strlen(path));
        assert_true(mkdir(dir, 0755) == 0 || errno == EEXIST);
    }
}

static bool start(const char *project, const char *dbname, Text *url)
{
    ERROR_AUTO(err);
    bool started = false;
    text_reset(url);
    assert_ok(server_start(project, dbname, &started, url, &err));
    return started;
}

static bool stop(const char *project)
{
    ERROR_AUTO(err);
    bool was = false;
    assert_ok(server_stop(project, &was, &err));
    return was;
}

static char *value_at(const Text *url, const char *sql)
{
    ERROR_AUTO(err);
    ConnOptions options = {.url = text_str(url)};
    CONN_AUTO(conn);
    assert_ok(conn_open(&options, &conn, &err));
    ROWS_AUTO(rows);
    assert_ok(conn_query(conn, sql, 0, NULL, &rows, &err));
    return mem_strdup(rows_count(rows) ? rows_get(rows, 0, 0) : NULL);
}

static void assert_value(const Text *url, const char *sql, const char *expected)
{
    char *value CLEANUP(mem_free_p) = value_at(url, sql);
    assert_string_equal(value ? value : "(null)", expected);
}

static void put_file(const char *below, const char *text)
{
    char *path CLEANUP(mem_free_p) = path_of(below);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static pid_t postmaster(void)
{
    char *path CLEANUP(mem_free_p) = path_of(".sluice/pg/data/postmaster.pid");
    char *text CLEANUP(mem_free_p) = NULL;
    size_t len;
    return file_read(path, 4096, &text, &len, NULL) ? (pid_t)atol(text) : 0;
}

static void run(const char *command)
{
    int status = system(command);
    if (status != 0)
        fail_msg("%s: status %d", command, status);
}

static int new_project(void **state)
{
    (void)state;
    g_project = fixture_project();
    return 0;
}

static int end_project(void **state)
{
    (void)state;
    fixture_discard(g_project);
    return 0;
}

static void starts_once_and_stops(void **state)
{
    (void)state;
    TEXT_AUTO(url);
    assert_false(server_running(g_project));
    assert_false(stop(g_project));
    assert_true(start(g_project, "one", &url));
    assert_true(server_running(g_project));
    assert_value(&url, "select current_database()", "one");
    assert_value(&url, "show listen_addresses", "");
    assert_value(&url, "show fsync", "on");
    assert_value(&url, "show data_checksums", "on");
    assert_value(&url, "show server_encoding", "UTF8");
    int64_t best = INT64_MAX;
    for (int i = 0; i < 20; i++) {
        int64_t before = clock_monotonic();
        assert_false(start(g_project, "one", &url));
        int64_t took = clock_monotonic() - before;
        best = took < best ? took : best;
    }
    assert_true(best < 3000);
    assert_false(start(g_project, "Zwei \"'\\ 2", &url));
    assert_value(&url, "select current_database()", "Zwei \"'\\ 2");
    char *open CLEANUP(mem_free_p) = path_of(".sluice/pg/run");
    struct stat st;
    assert_int_equal(stat(open, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_true(stop(g_project));
    assert_false(server_running(g_project));
    assert_false(stop(g_project));
    assert_true(start(g_project, "one", &url));
}

static void stops_while_clients_are_connected(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    TEXT_AUTO(url);
    start(g_project, "one", &url);
    ConnOptions options = {.url = text_str(&url)};
    CONN_AUTO(conn);
    assert_ok(conn_open(&options, &conn, &err));
    assert_ok(conn_exec(conn, "begin; create table t (a int)", &err));
    assert_true(stop(g_project));
    assert_false(conn_exec(conn, "select 1", &err));
    assert_int_equal(err.code, ERROR_CONNECTION);
}

static void makes_databases_again_that_were_dropped(void **state)
{
    (void)state;
    TEXT_AUTO(url);
    TEXT_AUTO(other);
    start(g_project, "one", &url);
    start(g_project, "two", &other);
    free(value_at(&other, "select 1"));
    ERROR_AUTO(err);
    ConnOptions options = {.url = text_str(&other)};
    CONN_AUTO(conn);
    assert_ok(conn_open(&options, &conn, &err));
    assert_ok(conn_exec(conn, "drop database one", &err));
    stop(g_project);
    start(g_project, "one", &url);
    assert_value(&url, "select current_database()", "one");
}

enum { RACERS = 10 };

static void many_at_once_make_one(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) { /* with initdb, and without */
        pid_t racers[RACERS];
        fflush(NULL);
        for (int i = 0; i < RACERS; i++) {
            racers[i] = fork();
            if (racers[i] != 0)
                continue;
            ERROR_AUTO(err);
            TEXT_AUTO(url);
            bool started = false;
            Conn *conn = NULL;
            bool ok = server_start(g_project, "race", &started, &url, &err);
            ConnOptions options = {.url = text_str(&url)};
            ok = ok && conn_open(&options, &conn, &err) && conn_exec(conn, "select 1", &err);
            fixture_show(&err);
            conn_close(conn);
            _exit(!ok ? 2 : started ? 1 : 0);
        }
        int makers = 0;
        for (int i = 0; i < RACERS; i++) {
            int status = 0;
            waitpid(racers[i], &status, 0);
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
            makers += WEXITSTATUS(status);
        }
        assert_int_equal(makers, 1);
        assert_true(stop(g_project));
    }
}

static void recovers_from_kill_9(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    TEXT_AUTO(url);
    start(g_project, "one", &url);
    for (int round = 1; round <= 3; round++) {
        ConnOptions options = {.url = text_str(&url)};
        CONN_AUTO(conn);
        assert_ok(conn_open(&options, &conn, &err));
        assert_ok(conn_exec(conn, "create table if not exists t (a int); insert into t values (1)", &err));
        assert_int_equal(kill(postmaster(), SIGKILL), 0);
        for (int i = 0; i < 1000 && server_running(g_project); i++)
            clock_sleep(1000); /* the kernel takes a moment over it */
        assert_true(start(g_project, "one", &url));
        TEXT_AUTO(expected);
        text_appendf(&expected, "%d", round);
        assert_value(&url, "select count(*) from t", text_str(&expected));
    }
}

/* The pid file of a dead server names a process that lives: a number used again, or a copied directory. */
static void a_reused_process_number_is_no_server(void **state)
{
    (void)state;
    TEXT_AUTO(url);
    start(g_project, "one", &url);
    stop(g_project);
    TEXT_AUTO(text);
    text_appendf(&text, "%ld\n%s/.sluice/pg/data\n1\n5432\n%s/.sluice/pg/run\n\n1 1\nready   \n", (long)getpid(),
                 g_project, g_project);
    put_file(".sluice/pg/data/postmaster.pid", text_str(&text));
    assert_false(server_running(g_project));
    assert_false(stop(g_project));
    assert_true(start(g_project, "one", &url));
    assert_value(&url, "select 1", "1");
}

static void sweeps_a_killed_initdb(void **state)
{
    (void)state;
    TEXT_AUTO(url);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        start(g_project, "one", &url);
        _exit(0);
    }
    clock_sleep(150000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(start(g_project, "one", &url));
    assert_value(&url, "select 1", "1");
    char *home CLEANUP(mem_free_p) = path_of(".sluice/pg");
    DIR *all = opendir(home);
    for (struct dirent *entry; (entry = readdir(all));)
        assert_false(str_starts(entry->d_name, "new-"));
    closedir(all);
}

static void refuses_what_it_did_not_make(void **state)
{
    (void)state;
    static const struct {
        const char *break_it, *message, *hint;
    } cases[] = {
        {"rm %s/.sluice/pg/data/.sluice-server", "was not made by sluice", "url"},
        {"cd %s/.sluice && mv pg/data away && rm -rf pg && mv away pg", "was not made by sluice", "url"},
        {"echo 99 > %s/.sluice/pg/data/PG_VERSION", "made by version 99", "postgresql-99"},
        {"cd %s/.sluice && rm -rf pg && touch pg", "is no directory", NULL},
        {"echo 'nonsense = 1' >> %s/.sluice/pg/data/postgresql.conf", "did not start", "log"},
    };
    TEXT_AUTO(url);
    start(g_project, "one", &url);
    stop(g_project);
    TEXT_AUTO(keep);
    text_appendf(&keep, "cp -a %s/.sluice %s/kept", g_project, g_project);
    run(text_str(&keep));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO(err);
        TEXT_AUTO(command);
        text_append(&command, "rm -rf ");
        text_appendf(&command, "%s/.sluice; cp -a %s/kept %s/.sluice; ", g_project, g_project, g_project);
        const char *after = strstr(cases[i].break_it, "%s");
        text_append_n(&command, cases[i].break_it, (size_t)(after - cases[i].break_it));
        text_appendf(&command, "%s%s", g_project, after + 2);
        run(text_str(&command));
        bool started = false;
        text_reset(&url);
        assert_false(server_start(g_project, "one", &started, &url, &err));
        assert_int_equal(err.code, ERROR_CONNECTION);
        assert_says(err.message, cases[i].message);
        if (cases[i].hint)
            assert_says(err.hint, cases[i].hint);
        if (i == 4)
            assert_says(err.detail, "nonsense");
        assert_int_equal(url.len, 0);
        assert_false(started);
    }
}

static void stands_odd_and_long_paths(void **state)
{
    (void)state;
    static const char *const names[] = {"it's \"odd\", \\ and ümläut",
                                        "012345678901234567890123456789012345678901234567890"
                                        "12345678901234567890123456789012345678901234567890123456789/deep/er"};
    for (size_t i = 0; i < 2; i++) {
        ERROR_AUTO(err);
        TEXT_AUTO(url);
        char *dir CLEANUP(mem_free_p) = path_of(names[i]);
        make_dir(dir);
        assert_true(start(dir, "one", &url));
        assert_value(&url, "select 1", "1");
        assert_says(text_str(&url), "host='/tmp/sluice-");
        assert_false(start(dir, "one", &url));
        assert_true(stop(dir));
    }
    run("rmdir /tmp/sluice-*-????????????????");
}

/* A squatter in /tmp gets no connection. */
static void does_not_trust_a_socket_of_others(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    TEXT_AUTO(url);
    char *dir CLEANUP(mem_free_p) = path_of("a,b");
    make_dir(dir);
    start(dir, "one", &url);
    stop(dir);
    const char *host = strstr(text_str(&url), "/tmp/sluice-");
    TEXT_AUTO(sockets);
    text_append_n(&sockets, host, strcspn(host, "'"));
    assert_int_equal(chmod(text_str(&sockets), 0777), 0);
    bool started;
    assert_false(server_start(dir, "one", &started, &url, &err));
    assert_says(err.message, "is not a directory of its own");
    assert_int_equal(rmdir(text_str(&sockets)), 0);
    start(dir, "one", &url);
    stop(dir);
    rmdir(text_str(&sockets));
}

static void the_environment_does_not_lead_astray(void **state)
{
    (void)state;
    static const char *const variables[][2] = {
        {"PGHOST", "192.0.2.1"},
        {"PGHOSTADDR", "192.0.2.1"},
        {"PGPORT", "1"},
        {"PGUSER", "other"},
        {"PGDATABASE", "other"},
        {"PGDATA", "/nonexistent"},
        {"PGOPTIONS", "-c nonsense=1"},
        {"PGSSLMODE", "verify-full"},
        {"PGCHANNELBINDING", "require"},
        {"PGGSSENCMODE", "require"},
        {"PGREQUIREPEER", "other"},
        {"PGTARGETSESSIONATTRS", "standby"},
        {"PGREQUIREAUTH", "scram-sha-256"},
        {"PGTZ", "Foo"},
        {"PGDATESTYLE", "nonsense"},
        {"PGGEQO", "nonsense"},
        {"PGSERVICE", "nowhere"},
        {"PGSERVICEFILE", "/nonexistent"},
        {"PGSSLMINPROTOCOLVERSION", "nonsense"},
        {"PGLOADBALANCEHOSTS", "nonsense"},
    };
    enum { COUNT = sizeof variables / sizeof *variables };
    TEXT_AUTO(url);
    for (size_t i = 0; i < COUNT; i++)
        setenv(variables[i][0], variables[i][1], 1);
    bool started = start(g_project, "one", &url);
    char *user CLEANUP(mem_free_p) = value_at(&url, "select current_user || current_database()");
    for (size_t i = 0; i < COUNT; i++)
        unsetenv(variables[i][0]);
    assert_true(started);
    assert_string_equal(user, "sluiceone");
    TEXT_AUTO(command);
    text_appendf(&command, "! tr '\\0' '\\n' < /proc/%ld/environ | grep '^PG[A-Z]*=.*\\(192\\|other\\|nonexistent\\)'",
                 (long)postmaster());
    run(text_str(&command));
}

/* `sluice run | cat` ends although the server stays. */
static void does_not_hold_our_output(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        TEXT_AUTO(url);
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        start(g_project, "one", &url);
        _exit(0);
    }
    close(fds[1]);
    char buffer[1024];
    int64_t before = clock_monotonic();
    while (read(fds[0], buffer, sizeof buffer) > 0)
        continue;
    close(fds[0]);
    waitpid(child, NULL, 0);
    assert_true(clock_monotonic() - before < 20000000);
    assert_true(server_running(g_project));
}

static void copies_and_moved_projects_stay_apart(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    TEXT_AUTO(url);
    char *first CLEANUP(mem_free_p) = path_of("first");
    char *copy CLEANUP(mem_free_p) = path_of("copy");
    char *moved CLEANUP(mem_free_p) = path_of("moved");
    make_dir(first);
    start(first, "one", &url);
    free(value_at(&url, "select 1"));
    ConnOptions options = {.url = text_str(&url)};
    Conn *conn = NULL;
    assert_ok(conn_open(&options, &conn, &err));
    assert_ok(conn_exec(conn, "create table t as select 'first' as a; checkpoint", &err));
    conn_close(conn);
    TEXT_AUTO(command);
    text_appendf(&command, "cp -a '%s' '%s'", first, copy); /* while it runs, pid file, socket and all */
    run(text_str(&command));
    assert_false(server_running(copy));
    assert_true(start(copy, "one", &url));
    options.url = text_str(&url);
    assert_ok(conn_open(&options, &conn, &err));
    assert_ok(conn_exec(conn, "update t set a = 'copy'", &err));
    conn_close(conn);
    assert_int_equal(rename(first, moved), 0);
    assert_false(start(moved, "one", &url)); /* it still runs */
    assert_value(&url, "select a from t", "first");
    assert_true(stop(moved));
    assert_true(start(moved, "one", &url));
    assert_value(&url, "select a from t", "first");
    assert_true(stop(moved));
    assert_true(stop(copy));
}

static void finds_its_way_back_to_a_lost_socket(void **state)
{
    (void)state;
    TEXT_AUTO(url);
    start(g_project, "one", &url);
    char *sockets CLEANUP(mem_free_p) = path_of(".sluice/pg/run");
    fixture_remove(sockets);
    assert_true(start(g_project, "one", &url));
    assert_value(&url, "select 1", "1");
}

static void tells_of_places_it_cannot_write(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    TEXT_AUTO(url);
    bool started;
    assert_false(server_start("/proc/self", "one", &started, &url, &err));
    assert_int_equal(err.code, ERROR_CONNECTION);
    assert_says(err.message, ".sluice");
    assert_false(server_start("/nonexistent", "one", &started, &url, &err));
    assert_says(err.message, "/nonexistent");
    setenv("SLUICE_PG_BINDIR", "/nonexistent", 1);
    bool ok = server_start(g_project, "one", &started, &url, &err);
    unsetenv("SLUICE_PG_BINDIR");
    assert_false(ok);
    assert_says(err.message, "SLUICE_PG_BINDIR");
}

/* --- as root ---------------------------------------------------------------------------------------------------- */

static uid_t server_uid(void)
{
    struct stat st;
    TEXT_AUTO(path);
    text_appendf(&path, "/proc/%ld", (long)postmaster());
    assert_int_equal(stat(text_str(&path), &st), 0);
    return st.st_uid;
}

static void root_steps_down(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    TEXT_AUTO(url);
    start(g_project, "one", &url);
    uid_t first = server_uid();
    assert_int_not_equal(first, 0);
    assert_int_equal(geteuid(), 0);
    stop(g_project);
    fixture_remove(g_project);
    /* In the project of a plain user the server is that user's, who can go on without root. */
    struct passwd *user = getpwnam("daemon");
    assert_non_null(user);
    assert_int_equal(mkdir(g_project, 0700), 0);
    assert_int_equal(chown(g_project, user->pw_uid, user->pw_gid), 0);
    start(g_project, "one", &url);
    assert_int_equal(server_uid(), user->pw_uid);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        bool ok = setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0;
        ok = ok && !start(g_project, "one", &url) && stop(g_project) && start(g_project, "one", &url);
        _exit(ok ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_true(stop(g_project));
}

static void root_evades_closed_parents(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    ERROR_AUTO(err);
    TEXT_AUTO(url);
    char *first CLEANUP(mem_free_p) = path_of("closed/first");
    char *copy CLEANUP(mem_free_p) = path_of("closed/copy");
    char *moved CLEANUP(mem_free_p) = path_of("closed/moved");
    char *closed CLEANUP(mem_free_p) = path_of("closed");
    make_dir(first);
    assert_int_equal(chmod(closed, 0700), 0);
    assert_true(start(first, "one", &url));
    assert_false(start(first, "one", &url));
    assert_value(&url, "select 1", "1");
    ConnOptions options = {.url = text_str(&url)};
    Conn *conn = NULL;
    assert_ok(conn_open(&options, &conn, &err));
    assert_ok(conn_exec(conn, "create table t as select 'first' as a", &err));
    conn_close(conn);
    char home[4096], other[4096], again[4096];
    TEXT_AUTO(link);
    text_appendf(&link, "%s/.sluice/pg", first);
    assert_non_null(realpath(text_str(&link), home));
    assert_false(str_starts(home, g_project));
    TEXT_AUTO(command);
    text_appendf(&command, "cp -a '%s' '%s'", first, copy);
    run(text_str(&command));
    assert_true(start(copy, "one", &url)); /* a copied link is not followed */
    assert_value(&url, "select to_regclass('t') is null", "t");
    text_reset(&link);
    text_appendf(&link, "%s/.sluice/pg", copy);
    assert_non_null(realpath(text_str(&link), other));
    assert_string_not_equal(home, other);
    assert_int_equal(rename(first, moved), 0);
    assert_false(start(moved, "one", &url)); /* one that moved along is */
    assert_value(&url, "select a from t", "first");
    text_reset(&link);
    text_appendf(&link, "%s/.sluice/pg", moved);
    assert_non_null(realpath(text_str(&link), again));
    assert_string_equal(home, again);
    assert_true(stop(moved));
    assert_true(stop(copy));
    fixture_remove(home);
    fixture_remove(other);
    rmdir("/var/lib/sluice");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, new_project, end_project)
    const struct CMUnitTest tests[] = {
        TEST(starts_once_and_stops),
        TEST(stops_while_clients_are_connected),
        TEST(makes_databases_again_that_were_dropped),
        TEST(many_at_once_make_one),
        TEST(recovers_from_kill_9),
        TEST(a_reused_process_number_is_no_server),
        TEST(sweeps_a_killed_initdb),
        TEST(refuses_what_it_did_not_make),
        TEST(stands_odd_and_long_paths),
        TEST(does_not_trust_a_socket_of_others),
        TEST(the_environment_does_not_lead_astray),
        TEST(does_not_hold_our_output),
        TEST(copies_and_moved_projects_stay_apart),
        TEST(finds_its_way_back_to_a_lost_socket),
        TEST(tells_of_places_it_cannot_write),
        TEST(root_steps_down),
        TEST(root_evades_closed_parents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
