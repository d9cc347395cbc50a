#include "pg/server_cluster.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libpq-fe.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "pg/rows.h"
#include "pg/server.h"
#include "pg/server_program.h"

enum {
    SMALL_FILE = 64 * 1024,
    CONF_MAX = 1024 * 1024,
    OPEN_DIRECTORIES = 16,
    LINES_SHOWN = 6, /* of what initdb printed */
    RETRY_SECONDS = 10,
    SWEEPS_MAX = 100,
    SWEEP_MICROSECONDS = 20000,
    STATUS_LINE = 8, /* of postmaster.pid, LOCK_FILE_LINE_PM_STATUS in PostgreSQL's miscadmin.h */
};

static const char mark_name[] = ".sluice-server";
static const char mark_text[] = "Made by sluice. Without this file sluice does not touch this data directory.\n";
static const char owner_role[] = "sluice";

/* For one developer's machine. They stand in the file, not on the command line: the user may change them. */
static const char settings[] = "\n# Set by sluice when this was made; yours to change.\n"
                               "shared_buffers = 128MB\n"
                               "max_connections = 50\n"
                               "max_wal_size = 1GB\n"
                               "wal_level = minimal\n"
                               "max_wal_senders = 0\n"
                               "jit = off\n"
                               "timezone = 'UTC'\n"
                               "# Not \"$user\": the role is called like the schema of the ledger.\n"
                               "search_path = 'public'\n"
                               "log_timezone = 'UTC'\n"
                               "log_checkpoints = off\n"
                               "# Statements may hold data; the log shall not.\n"
                               "log_min_error_statement = panic\n";

static bool fail(Error *err, const char *what, const char *path)
{
    return error_set(err, ERROR_CONNECTION, "the private PostgreSQL: %s %s: %s", what, path, strerror(errno));
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* An initdb that was killed leaves its directory, and for a moment perhaps a child that still writes there. */
static void remove_leftover(const char *path)
{
    for (int i = 0; i < SWEEPS_MAX && file_exists(path); i++) {
        if (i > 0)
            clock_sleep(SWEEP_MICROSECONDS);
        remove_tree(path);
    }
}

static void sweep(const ServerHome *home)
{
    DIR *all = opendir(home->dir);
    if (!all)
        return;
    for (struct dirent *entry; (entry = readdir(all));)
        if (str_starts(entry->d_name, "new-"))
            remove_leftover(arena_printf(home->arena, "%s/%s", home->dir, entry->d_name));
    closedir(all);
}

static const char *locale_option(void)
{
    locale_t utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
    if (!utf8)
        return "--locale=C";
    freelocale(utf8);
    return "--locale=C.UTF-8";
}

static bool run_initdb(const ServerHome *home, const char *bindir, const char *dir, Error *err)
{
    Arena *arena = home->arena;
    char *argv[] = {arena_printf(arena, "%s/initdb", bindir),
                    arena_strdup(arena, "-D"),
                    arena_strdup(arena, dir),
                    arena_strdup(arena, "-U"),
                    arena_strdup(arena, owner_role),
                    arena_strdup(arena, "--encoding=UTF8"),
                    arena_strdup(arena, locale_option()),
                    arena_strdup(arena, "--lc-messages=C"),
                    arena_strdup(arena, "--auth-local=trust"),
                    arena_strdup(arena, "--auth-host=reject"),
                    arena_strdup(arena, "--data-checksums"),
                    arena_strdup(arena, "--no-instructions"),
                    arena_strdup(arena, "--no-sync"), /* make_cluster() sees to it */
                    NULL};
    TEXT_AUTO(output);
    int status = 0;
    ERROR_AUTO(problem);
    if (program_run(home, argv, &output, &status, &problem))
        return true;
    if (problem.code != ERROR_NONE) {
        error_move(err, &problem);
        return false;
    }
    error_set(err, ERROR_CONNECTION, "the private PostgreSQL in %s cannot be made: initdb ended with status %d",
              home->dir, status);
    while (output.len > 0 && output.data[output.len - 1] == '\n')
        output.data[--output.len] = '\0';
    /* The reason stands at the end, after a long tale of what went well. */
    const char *shown = text_str(&output) + output.len;
    for (int lines = 0; shown > text_str(&output) && lines < LINES_SHOWN; shown--)
        lines += shown[-1] == '\n';
    return error_detail(err, "%s", *shown == '\n' ? shown + 1 : shown);
}

static bool append_settings(const ServerHome *home, const char *dir, Error *err)
{
    const char *path = arena_printf(home->arena, "%s/postgresql.conf", dir);
    char *made CLEANUP(mem_free_p) = NULL;
    size_t len = 0;
    if (!file_read(path, CONF_MAX, &made, &len, err))
        return false;
    TEXT_AUTO(conf);
    text_append_n(&conf, made, len);
    text_append(&conf, settings);
    return file_write(path, conf.data, conf.len, 0600, err);
}

/* Made whole beside its place, marked, written through, then renamed: whatever is killed, what bears the name is
 * complete. */
static bool make_cluster(const ServerHome *home, const char *bindir, Error *err)
{
    sweep(home);
    unsigned random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = (unsigned)getpid();
    const char *fresh = arena_printf(home->arena, "%s/new-%ld-%08x", home->dir, (long)getpid(), random);
    ERROR_AUTO(problem);
    const char *mark = arena_printf(home->arena, "%s/%s", fresh, mark_name);
    bool ok = run_initdb(home, bindir, fresh, &problem) && append_settings(home, fresh, &problem) &&
              file_write(mark, mark_text, strlen(mark_text), 0600, &problem);
    int fd CLEANUP(fd_close_p) = ok ? open(home->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    ok = ok && fd >= 0 && syncfs(fd) == 0 && rename(fresh, home->data) == 0 && fsync(fd) == 0;
    if (ok)
        return true;
    if (problem.code == ERROR_NONE)
        fail(&problem, "cannot write", home->data);
    if (problem.code == ERROR_PROJECT)
        problem.code = ERROR_CONNECTION; /* of file_write(): here no file of the user's is wrong */
    remove_tree(fresh);
    error_move(err, &problem);
    return false;
}

static bool refuse(const char *path, const char *why, Error *err)
{
    error_set(err, ERROR_CONNECTION, "the private PostgreSQL: %s %s", path, why);
    return error_hint(err, "sluice uses only a data directory that it made; move this one away, or name its server as "
                           "the target's url");
}

static bool is_ours(const ServerHome *home, Error *err)
{
    struct stat st, mark;
    if (lstat(home->data, &st) != 0)
        return fail(err, "cannot look at", home->data);
    if (!S_ISDIR(st.st_mode) || st.st_uid != home->uid)
        return refuse(home->data, "is not a directory of its user", err);
    const char *path = arena_printf(home->arena, "%s/%s", home->data, mark_name);
    if (lstat(path, &mark) != 0 || !S_ISREG(mark.st_mode) || mark.st_uid != home->uid)
        return refuse(home->data, "was not made by sluice", err);
    return true;
}

static int read_major(const ServerHome *home)
{
    char *text CLEANUP(mem_free_p) = NULL;
    size_t len;
    const char *path = arena_printf(home->arena, "%s/PG_VERSION", home->data);
    return file_read(path, SMALL_FILE, &text, &len, NULL) ? str_number(text) : 0;
}

bool cluster_prepare(const ServerHome *home, Text *ret_bindir, Error *err)
{
    struct stat st;
    if (lstat(home->data, &st) == 0) {
        if (!is_ours(home, err))
            return false;
        int major = read_major(home);
        if (major == 0)
            return refuse(home->data, "has no PG_VERSION that can be read", err);
        return program_bindir_for(major, ret_bindir, err);
    }
    if (errno != ENOENT)
        return fail(err, "cannot look at", home->data);
    if (lstat(arena_printf(home->arena, "%s/PG_VERSION", home->dir), &st) == 0)
        return refuse(home->dir, "is a data directory that was not made by sluice", err);
    if (!server_bindir(ret_bindir, err))
        return false;
    log_debug("making the private PostgreSQL in %s", home->dir);
    return make_cluster(home, text_str(ret_bindir), err);
}

static bool read_pid_file(const ServerHome *home, char **ret_text)
{
    size_t len;
    const char *path = arena_printf(home->arena, "%s/postmaster.pid", home->data);
    return file_read(path, SMALL_FILE, ret_text, &len, NULL);
}

/* The number alone says little: after a kill -9 it may be anyone's, and in a copied directory it is the original's. */
pid_t cluster_postmaster(const ServerHome *home)
{
    char *text CLEANUP(mem_free_p) = NULL;
    if (!read_pid_file(home, &text))
        return 0;
    long pid = strtol(text, NULL, 10);
    struct stat there, here;
    if (pid <= 1 || stat(arena_printf(home->arena, "/proc/%ld/cwd", pid), &there) != 0 || stat(home->data, &here) != 0)
        return 0;
    return there.st_dev == here.st_dev && there.st_ino == here.st_ino ? (pid_t)pid : 0;
}

bool cluster_ready(const ServerHome *home)
{
    char *text CLEANUP(mem_free_p) = NULL;
    if (!read_pid_file(home, &text))
        return false;
    const char *line = text;
    for (int i = 1; i < STATUS_LINE && line; i++) {
        line = strchr(line, '\n');
        line += line != NULL;
    }
    return line && str_starts(line, "ready");
}

bool cluster_knows(const ServerHome *home, const char *dbname)
{
    char *text CLEANUP(mem_free_p) = NULL;
    size_t len;
    if (!file_read(home->databases, SMALL_FILE, &text, &len, NULL))
        return false;
    size_t n = strlen(dbname);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, dbname, n) == 0 && line[n] == '\n')
            return true;
    }
    return false;
}

void cluster_forget(const ServerHome *home) { unlink(home->databases); }

/* Only a saving of time for the next call: where it fails, that one looks again. */
static void record(const ServerHome *home, const char *dbname)
{
    if (strchr(dbname, '\n'))
        return;
    TEXT_AUTO(line);
    text_appendf(&line, "%s\n", dbname);
    int fd CLEANUP(fd_close_p) = open(home->databases, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    ssize_t ignored = fd >= 0 ? write(fd, line.data, line.len) : 0;
    (void)ignored;
}

static void append_keyword(Text *out, const char *keyword, const char *value)
{
    text_appendf(out, "%s%s='", out->len ? " " : "", keyword);
    for (const char *p = value; *p; p++) {
        if (*p == '\'' || *p == '\\')
            text_append_char(out, '\\');
        text_append_char(out, *p);
    }
    text_append_char(out, '\'');
}

/* The values in cluster_url() win over most of them, but PGTZ, PGDATESTYLE and PGGEQO go to the server as they are, a
 * PGSERVICE that names no service is an error whatever stands in the url, and libpq checks some options that are not
 * even used. unsetenv() is safe
 * only while no other thread reads the environment: server_start() is called before there are any. */
void cluster_clear_environment(void)
{
    static const char *const others[] = {"PGTZ", "PGDATESTYLE", "PGGEQO", "PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR"};
    PQconninfoOption *options = PQconninfoParse("", NULL);
    for (const PQconninfoOption *option = options; option && option->keyword; option++)
        if (option->envvar)
            unsetenv(option->envvar);
    PQconninfoFree(options);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        unsetenv(others[i]);
}

/* Every keyword that a PG* variable could set to something that does harm has a value here: the url is given to other
 * programs, too. */
void cluster_url(const ServerHome *home, const char *dbname, Text *out)
{
    append_keyword(out, "host", home->sockets);
    append_keyword(out, "hostaddr", "");
    append_keyword(out, "port", "5432");
    append_keyword(out, "user", owner_role);
    append_keyword(out, "dbname", dbname);
    append_keyword(out, "options", "");
    append_keyword(out, "sslmode", "disable");
    append_keyword(out, "gssencmode", "disable");
    append_keyword(out, "channel_binding", "disable");
    append_keyword(out, "target_session_attrs", "any");
    /* Whoever has put a socket in this place: libpq talks only to the server's user. */
    append_keyword(out, "requirepeer", home->user ? home->user : "");
    if (PQlibVersion() >= 160000)
        append_keyword(out, "require_auth", "");
    if (PQlibVersion() >= 170000)
        append_keyword(out, "sslnegotiation", "postgres");
}

bool cluster_database(const ServerHome *home, const char *dbname, Error *err)
{
    TEXT_AUTO(url);
    cluster_url(home, "postgres", &url);
    ConnOptions options = {.url = text_str(&url), .project = "db", .retry_for = RETRY_SECONDS};
    CONN_AUTO(conn);
    if (!conn_open(&options, &conn, err))
        return false;
    ROWS_AUTO(rows);
    const char *params[] = {dbname};
    if (!conn_query(conn, "select 1 from pg_catalog.pg_database where datname = $1", 1, params, &rows, err))
        return false;
    TEXT_AUTO(sql);
    if (rows_count(rows) == 0 &&
        (!conn_format(conn, &sql, err, "create database %I", dbname) || !conn_exec(conn, text_str(&sql), err)))
        return false;
    record(home, dbname);
    return true;
}
