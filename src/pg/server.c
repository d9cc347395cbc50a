#include "pg/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "pg/server_cluster.h"
#include "pg/server_home.h"
#include "pg/server_program.h"

enum {
    POLL_MICROSECONDS = 2000,
    START_SECONDS = 60, /* recovery after a crash may take a while */
    STOP_SECONDS = 30,  /* for a fast shutdown */
    QUIT_SECONDS = 10,  /* for an immediate one, after that */
    DEAF_SECONDS = 3,   /* a server that is ready and cannot be reached has lost its socket */
    LOG_MAX = 10 * 1024 * 1024,
    TAIL_MAX = 1500,
};

static int64_t seconds_from_now(int seconds) { return clock_monotonic() + seconds * INT64_C(1000000); }

/* Whether someone listens on the socket. A backlog that is full is someone, too. */
static bool answers(const ServerHome *home)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(home->socket);
    if (len >= sizeof address.sun_path || !home_sockets_ours(home))
        return false;
    memcpy(address.sun_path, home->socket, len + 1);
    int fd CLEANUP(fd_close_p) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd >= 0 && (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN);
}

static bool is_up(const ServerHome *home) { return home->exists && cluster_ready(home) && answers(home); }

/* HOME/alive, locked: nobody of the server lives. The descriptor, or -1 where it is locked by others. Inherited by
 * the server it holds on until the last of its processes is gone: the only sign that neither a kill -9, nor a reused
 * process number, nor a copied directory, nor another container can falsify. */
static bool lock_alive(const ServerHome *home, int *ret_fd, Error *err)
{
    int fd = open(home->alive, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set(err, ERROR_CONNECTION, "the private PostgreSQL: cannot open %s: %s", home->alive,
                         strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        fd = -1;
    }
    *ret_fd = fd;
    return true;
}

static bool nobody_alive(const ServerHome *home)
{
    int fd = -1;
    if (!lock_alive(home, &fd, NULL) || fd < 0)
        return false;
    close(fd);
    return true;
}

static bool pause_a_moment(Error *err)
{
    if (interrupt_signal())
        return error_set(err, ERROR_CANCELLED, "stopped by %s", strsignal(interrupt_signal()));
    clock_sleep(POLL_MICROSECONDS);
    return true;
}

static void rotate_log(const ServerHome *home)
{
    struct stat st;
    if (lstat(home->log, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > LOG_MAX)
        unlink(home->log);
}

static bool fail_with_log(const ServerHome *home, const char *what, Error *err)
{
    TEXT_AUTO(tail);
    program_tail(home->log, TAIL_MAX, &tail);
    error_set(err, ERROR_CONNECTION, "the private PostgreSQL in %s %s", home->dir, what);
    if (tail.len)
        error_detail(err, "%s", text_str(&tail));
    return error_hint(err, "its log is %s", home->log);
}

static bool wait_until_up(const ServerHome *home, Error *err)
{
    int64_t deadline = seconds_from_now(START_SECONDS);
    while (!is_up(home)) {
        if (nobody_alive(home))
            return fail_with_log(home, "did not start", err);
        if (clock_monotonic() > deadline)
            return fail_with_log(home, "is not ready after a minute", err);
        if (!pause_a_moment(err))
            return false;
    }
    return true;
}

/* The path in double quotes: PostgreSQL reads a list there. */
static char *sockets_setting(const ServerHome *home)
{
    return arena_printf(home->arena, "unix_socket_directories=\"%s\"", home->sockets);
}

/* On the command line stands what must hold whatever the user writes into the files. */
static bool launch(const ServerHome *home, const char *bindir, int alive_fd, Error *err)
{
    Arena *arena = home->arena;
    static const char *const always[] = {
        "listen_addresses=",      "port=5432", "unix_socket_permissions=0700", "logging_collector=off",
        "log_destination=stderr", "ssl=off"};
    enum { ALWAYS = sizeof always / sizeof *always };
    char *argv[3 + 2 * (ALWAYS + 1) + 1];
    int n = 0;
    argv[n++] = arena_printf(arena, "%s/postgres", bindir);
    argv[n++] = arena_strdup(arena, "-D");
    argv[n++] = arena_strdup(arena, home->data);
    for (int i = 0; i < ALWAYS; i++) {
        argv[n++] = arena_strdup(arena, "-c");
        argv[n++] = arena_strdup(arena, always[i]);
    }
    argv[n++] = arena_strdup(arena, "-c");
    argv[n++] = sockets_setting(home);
    argv[n] = NULL;
    return program_launch(home, argv, home->log, alive_fd, err);
}

/* With HOME/alive locked: what is left of a server belongs to a dead one. Only a server that somebody started on our
 * directory by other means would not hold that lock. */
static bool start_server(const ServerHome *home, int alive_fd, Error *err)
{
    TEXT_AUTO(bindir);
    if (!cluster_prepare(home, &bindir, err))
        return false;
    pid_t stranger = cluster_postmaster(home);
    if (stranger) {
        error_set(err, ERROR_CONNECTION, "a server that sluice did not start works in %s (process %ld)", home->data,
                  (long)stranger);
        return error_hint(err, "stop it with: pg_ctl stop -D '%s'", home->data);
    }
    const char *pid_file = arena_printf(home->arena, "%s/postmaster.pid", home->data);
    if (unlink(pid_file) != 0 && errno != ENOENT)
        return error_set(err, ERROR_CONNECTION, "cannot remove %s: %s", pid_file, strerror(errno));
    if (!home_prepare_sockets(home, err))
        return false;
    rotate_log(home);
    cluster_forget(home);
    return launch(home, text_str(&bindir), alive_fd, err);
}

/* Waits for a server that starts up or shuts down. True: it is up (*ret_alive is -1), or gone (the lock is ours). */
static bool settle(const ServerHome *home, int *ret_alive, Error *err)
{
    int64_t deadline = seconds_from_now(START_SECONDS);
    int64_t deaf = 0;
    *ret_alive = -1;
    while (!is_up(home)) {
        if (!lock_alive(home, ret_alive, err))
            return false;
        if (*ret_alive >= 0)
            return true;
        pid_t pid = cluster_postmaster(home);
        if (pid && cluster_ready(home) && !deaf)
            deaf = seconds_from_now(DEAF_SECONDS);
        if (pid && deaf && clock_monotonic() > deaf) {
            log_warn("the private PostgreSQL has lost its socket and is started anew");
            kill(pid, SIGINT);
            deaf = seconds_from_now(START_SECONDS);
        }
        if (clock_monotonic() > deadline)
            return fail_with_log(home, "runs, but cannot be reached", err);
        if (!pause_a_moment(err))
            return false;
    }
    return true;
}

static bool start_and_wait(const ServerHome *home, int alive_fd, Error *err)
{
    bool launched = start_server(home, alive_fd, err);
    close(alive_fd); /* the server has it now */
    return launched && wait_until_up(home, err);
}

/* Where its postmaster was killed while a transaction had made an unlogged table, PostgreSQL (15 at least) may find the
 * table's file in its way at the end of recovery and give up; the next start passes. Source: PostgreSQL bug #17731. */
static bool may_pass(const Error *err) { return err->detail && strstr(err->detail, ": File exists"); }

/* Under the lock, with the rights of the server's user. */
static bool bring_up(const ServerHome *home, const char *dbname, bool *ret_started, Error *err)
{
    for (int attempt = 1; !*ret_started; attempt++) {
        int alive_fd = -1;
        if (!settle(home, &alive_fd, err))
            return false;
        if (alive_fd < 0)
            break;
        *ret_started = start_and_wait(home, alive_fd, err);
        if (!*ret_started && (attempt > 1 || !may_pass(err)))
            return false;
        if (!*ret_started)
            error_clear(err);
    }
    return cluster_knows(home, dbname) || cluster_database(home, dbname, err);
}

/* In a project of a plain user root does all of it as that user. In one of its own it makes the place first. */
static bool start_locked(ServerHome *home, const char *dbname, bool *ret_started, Error *err)
{
    int lock_fd CLEANUP(fd_close_p) = -1;
    struct stat project;
    bool roots = stat(home->project, &project) == 0 && project.st_uid == 0;
    if ((!roots && !home_enter(home, err)) || !home_lock(home, &lock_fd, err))
        return false;
    ServerHome now;
    if (!home_find(home->project, home->arena, &now, err))
        return false;
    now.switches = home->switches; /* which does not show once root has become the user */
    *home = now;
    return home_make(home, err) && home_enter(home, err) && bring_up(home, dbname, ret_started, err);
}

static bool start(ServerHome *home, const char *dbname, bool *ret_started, Error *err)
{
    if (!home->moved && is_up(home) && cluster_knows(home, dbname))
        return true;
    bool ok = start_locked(home, dbname, ret_started, err);
    home_leave(home);
    return ok;
}

bool server_start(const char *project_dir, const char *dbname, bool *ret_started, Text *ret_url, Error *err)
{
    Arena arena;
    arena_init(&arena);
    ServerHome home;
    bool ignored;
    bool *started = ret_started ? ret_started : &ignored;
    *started = false;
    cluster_clear_environment();
    const char *name = dbname && *dbname ? dbname : "postgres";
    bool ok = home_find(project_dir, &arena, &home, err) && start(&home, name, started, err);
    if (ok)
        cluster_url(&home, name, ret_url);
    arena_clear(&arena);
    return ok;
}

static bool wait_until_gone(const ServerHome *home, int seconds, Error *err)
{
    int64_t deadline = seconds_from_now(seconds);
    while (!nobody_alive(home)) {
        if (clock_monotonic() > deadline || !pause_a_moment(err))
            return false;
    }
    return true;
}

static bool stop_locked(const ServerHome *home, bool *ret_was_running, Error *err)
{
    *ret_was_running = !nobody_alive(home);
    if (!*ret_was_running)
        return true;
    pid_t pid = cluster_postmaster(home);
    ERROR_AUTO(problem);
    if (pid && kill(pid, SIGINT) != 0 && errno != ESRCH)
        return error_set(err, ERROR_CONNECTION, "cannot stop the private PostgreSQL (process %ld): %s", (long)pid,
                         strerror(errno));
    /* Without its leader the other processes end by themselves, and soon. */
    if (wait_until_gone(home, pid ? STOP_SECONDS : QUIT_SECONDS, &problem))
        return true;
    if (problem.code == ERROR_NONE && pid && kill(pid, SIGQUIT) == 0 && wait_until_gone(home, QUIT_SECONDS, &problem))
        return true;
    if (problem.code != ERROR_NONE) {
        error_move(err, &problem);
        return false;
    }
    error_set(err, ERROR_CONNECTION, "the private PostgreSQL in %s does not stop", home->dir);
    return pid ? false : error_hint(err, "it does not run among the processes seen here: in another container?");
}

static bool stop(ServerHome *home, bool *ret_was_running, Error *err)
{
    int lock_fd CLEANUP(fd_close_p) = -1;
    struct stat project;
    bool roots = stat(home->project, &project) == 0 && project.st_uid == 0;
    bool ok = (roots || home_enter(home, err)) && home_lock(home, &lock_fd, err) && home_enter(home, err) &&
              stop_locked(home, ret_was_running, err);
    home_leave(home);
    return ok;
}

bool server_stop(const char *project_dir, bool *ret_was_running, Error *err)
{
    Arena arena;
    arena_init(&arena);
    ServerHome home;
    *ret_was_running = false;
    bool ok = home_find(project_dir, &arena, &home, err);
    if (ok && home.exists)
        ok = stop(&home, ret_was_running, err);
    arena_clear(&arena);
    return ok;
}

bool server_running(const char *project_dir)
{
    Arena arena;
    arena_init(&arena);
    ServerHome home;
    bool up = home_find(project_dir, &arena, &home, NULL) && is_up(&home);
    arena_clear(&arena);
    return up;
}
