#include "pg/server_program.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/interrupt.h"
#include "pg/server.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

enum { OUTPUT_MAX = 64 * 1024, MAJOR_OLDEST = 14, MAJOR_MOST = 99, EXIT_NO_EXEC = 127 };

static bool fail(Error *err, const char *what, const char *path)
{
    return error_set(err, ERROR_CONNECTION, "the private PostgreSQL: %s %s: %s", what, path, strerror(errno));
}

/* What a program of PostgreSQL gets to see. TZ spares initdb the search for the machine's zone. */
typedef struct Surroundings {
    char *path;
    char *library_path;
    char *env[6];
} Surroundings;

static void surroundings_init(Surroundings *around, Arena *arena)
{
    const char *path = getenv("PATH");
    const char *library_path = getenv("LD_LIBRARY_PATH");
    int n = 0;
    around->env[n++] = arena_printf(arena, "PATH=%s", path && *path ? path : "/usr/bin:/bin");
    around->env[n++] = arena_strdup(arena, "LC_ALL=C");
    around->env[n++] = arena_strdup(arena, "TZ=UTC");
    if (library_path && *library_path)
        around->env[n++] = arena_printf(arena, "LD_LIBRARY_PATH=%s", library_path);
    around->env[n] = NULL;
}

/* Between fork and exec: only what is safe there. Never returns. */
static void __attribute__((noreturn)) become(const ServerHome *home, char *const argv[], char *const env[], int output,
                                             int keep_fd, int report, bool dies_with_us)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;
    sigemptyset(&none);
    sigemptyset(&plain.sa_mask);
    for (int number = 1; number < 32; number++)
        sigaction(number, &plain, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    umask(077);
    int null = open("/dev/null", O_RDWR);
    bool ok = null >= 0 && (!home || home_become(home)) && chdir("/") == 0 && dup2(null, STDIN_FILENO) >= 0 &&
              dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0;
    if (ok && dies_with_us)
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the change of user, which clears it */
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (keep_fd >= 0)
        fcntl(keep_fd, F_SETFD, 0);
    if (ok)
        execve(argv[0], argv, env);
    int number = errno;
    ssize_t ignored = write(report, &number, sizeof number);
    (void)ignored;
    _exit(EXIT_NO_EXEC);
}

/* The other end of report: errno of what kept the program from starting, 0 once it runs. */
static int read_report(int fd)
{
    int number = 0;
    ssize_t n;
    do {
        n = read(fd, &number, sizeof number);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof number ? number : 0;
}

static void read_output(int fd, pid_t child, Text *output)
{
    char buffer[4096];
    bool killed = false;
    for (;;) {
        struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = killed ? -1 : interrupt_fd(), .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return;
        if (!killed && interrupt_signal()) {
            kill(-child, SIGKILL);
            killed = true;
        }
        if (!fds[0].revents)
            continue;
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n == 0 || (n < 0 && errno != EINTR))
            return;
        if (n > 0 && output->len + (size_t)n < OUTPUT_MAX)
            text_append_n(output, buffer, (size_t)n);
    }
}

static int wait_for(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool run_child(const ServerHome *home, char *const argv[], char *const env[], Text *output, int *ret_status,
                      Error *err)
{
    int out[2], report[2];
    *ret_status = -1;
    if (pipe2(out, O_CLOEXEC) != 0)
        return fail(err, "cannot run", argv[0]);
    if (pipe2(report, O_CLOEXEC) != 0) {
        close(out[0]);
        close(out[1]);
        return fail(err, "cannot run", argv[0]);
    }
    pid_t child = fork();
    if (child == 0)
        become(home, argv, env, out[1], -1, report[1], true);
    int number = errno;
    close(out[1]);
    close(report[1]);
    if (child > 0) {
        number = read_report(report[0]);
        read_output(out[0], child, output);
        *ret_status = wait_for(child);
    }
    close(out[0]);
    close(report[0]);
    errno = number;
    return child > 0 && number == 0 ? true : fail(err, "cannot run", argv[0]);
}

bool program_run(const ServerHome *home, char *const argv[], Text *output, int *ret_status, Error *err)
{
    Arena arena;
    arena_init(&arena);
    Surroundings around;
    surroundings_init(&around, &arena);
    bool ok = run_child(home, argv, around.env, output, ret_status, err);
    arena_clear(&arena);
    if (ok && interrupt_signal())
        return error_set(err, ERROR_CANCELLED, "stopped by %s", strsignal(interrupt_signal()));
    return ok && *ret_status == 0;
}

bool program_launch(const ServerHome *home, char *const argv[], const char *log, int keep_fd, Error *err)
{
    int output CLEANUP(fd_close_p) = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (output < 0)
        return fail(err, "cannot open", log);
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return fail(err, "cannot run", argv[0]);
    Arena arena;
    arena_init(&arena);
    Surroundings around;
    surroundings_init(&around, &arena);
    pid_t child = fork();
    if (child == 0) {
        /* Twice, so that init and not we has to wait for the server. */
        pid_t server = fork();
        if (server == 0)
            become(home, argv, around.env, output, keep_fd, report[1], false);
        _exit(server > 0 ? 0 : EXIT_NO_EXEC);
    }
    int number = errno;
    close(report[1]);
    bool ok = child > 0 && wait_for(child) == 0;
    if (ok) {
        number = read_report(report[0]);
        ok = number == 0;
    }
    close(report[0]);
    arena_clear(&arena);
    errno = number;
    return ok ? true : fail(err, "cannot run", argv[0]);
}

/* Major version of the postgres in a directory of programs, 0 where there is none that works. */
static int program_major(const char *bindir)
{
    static const char before[] = "(PostgreSQL) ";
    TEXT_AUTO(path);
    text_appendf(&path, "%s/postgres", bindir);
    if (access(text_str(&path), X_OK) != 0)
        return 0;
    TEXT_AUTO(output);
    int status;
    char version[] = "--version";
    char *argv[] = {path.data, version, NULL};
    if (!program_run(NULL, argv, &output, &status, NULL))
        return 0;
    const char *found = strstr(text_str(&output), before);
    return found ? str_number(found + strlen(before)) : 0;
}

static bool has_programs(const char *dir)
{
    TEXT_AUTO(path);
    text_appendf(&path, "%s/postgres", dir);
    bool server = access(text_str(&path), X_OK) == 0;
    text_reset(&path);
    text_appendf(&path, "%s/initdb", dir);
    return server && access(text_str(&path), X_OK) == 0;
}

static bool found(const char *dir, Text *ret_dir)
{
    if (!has_programs(dir))
        return false;
    text_append(ret_dir, dir);
    return true;
}

static bool from_debian(Text *ret_dir)
{
    DIR *all = opendir("/usr/lib/postgresql");
    if (!all)
        return false;
    int newest = 0;
    for (struct dirent *entry; (entry = readdir(all));) {
        int major = str_number(entry->d_name);
        TEXT_AUTO(dir);
        text_appendf(&dir, "/usr/lib/postgresql/%d/bin", major);
        if (major >= MAJOR_OLDEST && major <= MAJOR_MOST && major > newest && has_programs(text_str(&dir)))
            newest = major;
    }
    closedir(all);
    if (newest)
        text_appendf(ret_dir, "/usr/lib/postgresql/%d/bin", newest);
    return newest != 0;
}

/* Where a program of that name stands on PATH, its links followed: beside the real one are its fellows. */
static bool on_path(const char *name, Text *ret_dir)
{
    const char *path = getenv("PATH");
    for (const char *p = path; p && *p; p += *p == ':') {
        size_t n = strcspn(p, ":");
        TEXT_AUTO(candidate);
        text_append_n(&candidate, p, n);
        text_appendf(&candidate, "/%s", name);
        p += n;
        char *real CLEANUP(mem_free_p) =
            n > 0 && access(text_str(&candidate), X_OK) == 0 ? realpath(text_str(&candidate), NULL) : NULL;
        if (!real)
            continue;
        *strrchr(real, '/') = '\0';
        text_append(ret_dir, real);
        return true;
    }
    return false;
}

static bool from_pg_config(Text *ret_dir)
{
    TEXT_AUTO(dir);
    if (!on_path("pg_config", &dir))
        return false;
    text_append(&dir, "/pg_config");
    TEXT_AUTO(output);
    int status;
    char bindir[] = "--bindir";
    char *argv[] = {dir.data, bindir, NULL};
    if (!program_run(NULL, argv, &output, &status, NULL))
        return false;
    while (output.len > 0 && isspace((unsigned char)output.data[output.len - 1]))
        output.data[--output.len] = '\0';
    return found(text_str(&output), ret_dir);
}

bool server_bindir(Text *ret_dir, Error *err)
{
    const char *given = getenv("SLUICE_PG_BINDIR");
    if (given && *given) {
        if (found(given, ret_dir))
            return true;
        return error_set(err, ERROR_CONNECTION, "SLUICE_PG_BINDIR: there is no initdb and postgres in %s", given);
    }
    TEXT_AUTO(dir);
    if (from_debian(ret_dir) || from_pg_config(ret_dir) ||
        (on_path("postgres", &dir) && found(text_str(&dir), ret_dir)))
        return true;
    error_set(err, ERROR_CONNECTION, "the private PostgreSQL needs PostgreSQL's server programs, and there are none");
    return error_hint(err, "apt-get install postgresql, or name their directory in SLUICE_PG_BINDIR, or give the "
                           "target a url of a server of your own");
}

bool program_bindir_for(int major, Text *ret_dir, Error *err)
{
    TEXT_AUTO(usual);
    text_appendf(&usual, "/usr/lib/postgresql/%d/bin", major);
    const char *given = getenv("SLUICE_PG_BINDIR");
    if ((!given || !*given) && found(text_str(&usual), ret_dir))
        return true;
    TEXT_AUTO(other);
    if (!server_bindir(&other, err))
        return false;
    int have = program_major(text_str(&other));
    if (have == major)
        return found(text_str(&other), ret_dir);
    if (found(text_str(&usual), ret_dir))
        return true;
    error_set(err, ERROR_CONNECTION, "the private PostgreSQL was made by version %d, and %s has version %d", major,
              text_str(&other), have);
    return error_hint(err, "apt-get install postgresql-%d, or remove .sluice/pg to begin with an empty one", major);
}

void program_tail(const char *path, size_t max, Text *out)
{
    int fd CLEANUP(fd_close_p) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return;
    char *buffer CLEANUP(mem_free_p) = mem_alloc(max + 1);
    off_t from = st.st_size > (off_t)max ? st.st_size - (off_t)max : 0;
    ssize_t n = pread(fd, buffer, max, from);
    if (n <= 0)
        return;
    const char *start = buffer;
    const char *line = from > 0 ? memchr(buffer, '\n', (size_t)n) : NULL;
    if (line)
        start = line + 1;
    text_append_n(out, start, (size_t)(buffer + n - start));
    while (out->len > 0 && out->data[out->len - 1] == '\n')
        out->data[--out->len] = '\0';
}
