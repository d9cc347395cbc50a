#include "pg/server_home.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"

enum {
    LOCK_SECONDS = 120, /* another process may be at initdb and a start, each with bounds of their own */
    PATH_TEXT_MAX = 8192,
    USER_BUFFER = 16 * 1024,
};

static bool fail(Error *err, const char *what, const char *path)
{
    return error_set(err, ERROR_CONNECTION, "the private PostgreSQL: %s %s: %s", what, path, strerror(errno));
}

static bool take_user(ServerHome *home, const struct passwd *user)
{
    home->uid = user->pw_uid;
    home->gid = user->pw_gid;
    home->user = arena_strdup(home->arena, user->pw_name);
    home->group_count = HOME_GROUPS_MAX;
    if (getgrouplist(user->pw_name, user->pw_gid, home->groups, &home->group_count) < 0) {
        home->group_count = 1;
        home->groups[0] = user->pw_gid;
    }
    return true;
}

static bool user_by_id(ServerHome *home, uid_t uid)
{
    struct passwd user, *found = NULL;
    char buffer[USER_BUFFER];
    return getpwuid_r(uid, &user, buffer, sizeof buffer, &found) == 0 && found && take_user(home, found);
}

static bool user_by_name(ServerHome *home, const char *name)
{
    struct passwd user, *found = NULL;
    char buffer[USER_BUFFER];
    return getpwnam_r(name, &user, buffer, sizeof buffer, &found) == 0 && found && found->pw_uid != 0 &&
           take_user(home, found);
}

/* home_uid: of an existing home, or 0. */
static bool choose_user(ServerHome *home, uid_t project_uid, uid_t home_uid, Error *err)
{
    if (geteuid() != 0) {
        if (!user_by_id(home, geteuid())) { /* as in a container started with a number for a user */
            home->uid = geteuid();
            home->gid = getegid();
        }
        return true;
    }
    home->switches = true;
    if (project_uid != 0 && user_by_id(home, project_uid))
        return true;
    if (home_uid != 0 && user_by_id(home, home_uid))
        return true;
    if (user_by_name(home, "postgres") || user_by_name(home, "nobody"))
        return true;
    error_set(err, ERROR_CONNECTION, "PostgreSQL does not run as root, and there is no user postgres or nobody");
    return error_hint(err, "make one with: useradd --system postgres");
}

bool home_enter(const ServerHome *home, Error *err)
{
    if (!home->switches || geteuid() == home->uid)
        return true;
    if (setgroups((size_t)home->group_count, home->groups) == 0 && setegid(home->gid) == 0 && seteuid(home->uid) == 0)
        return true;
    int saved = errno;
    home_leave(home);
    errno = saved;
    return fail(err, "cannot become the user", home->user ? home->user : "of the project");
}

void home_leave(const ServerHome *home)
{
    gid_t root = 0;
    if (home->switches && (seteuid(0) != 0 || setegid(0) != 0 || setgroups(1, &root) != 0))
        abort();
}

bool home_become(const ServerHome *home)
{
    if (!home->switches)
        return true;
    return seteuid(0) == 0 && setgroups((size_t)home->group_count, home->groups) == 0 &&
           setresgid(home->gid, home->gid, home->gid) == 0 && setresuid(home->uid, home->uid, home->uid) == 0;
}

static uint64_t hash_number(uint64_t hash, uint64_t number) /* FNV-1a, 64 bits, from the lowest byte */
{
    for (int shift = 0; shift < 64; shift += 8)
        hash = (hash ^ (number >> shift & 0xff)) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t hash_place(const struct stat *st)
{
    uint64_t hash = hash_number(UINT64_C(14695981039346656037), st->st_dev);
    return hash_number(hash, st->st_ino);
}

/* The inode names the home: it stays when the project is moved, and a copy has another. libpq takes a comma in
 * a host for the end of it. */
static void set_sockets(ServerHome *home, const struct stat *st)
{
    static const char name[] = "/.s.PGSQL.5432";
    struct sockaddr_un address;
    const char *inside = arena_printf(home->arena, "%s/run", home->dir);
    bool plain = !strpbrk(inside, ",\"\n\r\\");
    if (!plain || strlen(inside) + strlen(name) >= sizeof address.sun_path)
        inside = arena_printf(home->arena, "/tmp/sluice-%lu-%016llx", (unsigned long)st->st_uid,
                              (unsigned long long)hash_place(st));
    home->sockets = inside;
    home->socket = arena_printf(home->arena, "%s%s", inside, name);
}

static void set_paths(ServerHome *home, const char *dir, const struct stat *st)
{
    home->exists = true;
    home->dir = dir;
    home->data = arena_printf(home->arena, "%s/data", dir);
    home->log = arena_printf(home->arena, "%s/log", dir);
    home->alive = arena_printf(home->arena, "%s/alive", dir);
    home->databases = arena_printf(home->arena, "%s/databases", dir);
    set_sockets(home, st);
}

static bool same_file(const char *a, const char *b)
{
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* A link leads to a home of this project, of one that has moved here, or, in a copy, of the original. */
static bool link_is_ours(ServerHome *home, const char *link, const char *target)
{
    char *owner CLEANUP(mem_free_p) = NULL;
    size_t len;
    if (!file_read(arena_printf(home->arena, "%s/project", target), PATH_TEXT_MAX, &owner, &len, NULL))
        return false;
    if (str_eq(owner, home->project))
        return true;
    home->moved = true;
    char *other = arena_printf(home->arena, "%s/.sluice/pg", owner);
    char there[PATH_TEXT_MAX], here[PATH_TEXT_MAX];
    ssize_t n = readlink(other, there, sizeof there);
    ssize_t m = readlink(link, here, sizeof here);
    bool still_used = n > 0 && n == m && memcmp(there, here, (size_t)n) == 0;
    return !still_used || same_file(arena_printf(home->arena, "%s/.sluice", owner), home->sluice);
}

static char *real_path(Arena *arena, const char *path)
{
    char *real CLEANUP(mem_free_p) = realpath(path, NULL);
    return arena_strdup(arena, real);
}

bool home_find(const char *project_dir, Arena *arena, ServerHome *ret_home, Error *err)
{
    ServerHome home = {.arena = arena};
    struct stat project, link, dir = {0};
    home.project = real_path(arena, project_dir);
    if (!home.project || stat(home.project, &project) != 0)
        return fail(err, "cannot find the project", project_dir);
    home.sluice = arena_printf(arena, "%s/.sluice", home.project);
    char *pg = arena_printf(arena, "%s/pg", home.sluice);
    bool some = lstat(pg, &link) == 0;
    if (!some && errno != ENOENT && errno != ENOTDIR)
        return fail(err, "cannot look at", pg);
    char *real = some ? real_path(arena, pg) : NULL;
    if (some && !real && errno != ENOENT && errno != EACCES)
        return fail(err, "cannot look at", pg);
    bool exists = real && stat(real, &dir) == 0;
    if (exists && !S_ISDIR(dir.st_mode))
        return error_set(err, ERROR_CONNECTION, "the private PostgreSQL: %s is no directory", pg);
    if (exists && S_ISLNK(link.st_mode))
        exists = link_is_ours(&home, pg, real);
    if (!choose_user(&home, project.st_uid, exists ? dir.st_uid : 0, err))
        return false;
    if (exists && home.switches && dir.st_uid == 0 && project.st_uid == 0)
        dir.st_uid = home.uid; /* made, but not handed over yet: home_make() does it */
    if (exists)
        set_paths(&home, real, &dir);
    if (exists && dir.st_uid != home.uid)
        return error_set(err, ERROR_CONNECTION, "the private PostgreSQL in %s belongs to another user (uid %lu)", real,
                         (unsigned long)dir.st_uid) ||
               error_hint(err, "run sluice as that user or as root, or name a database of your own as url");
    *ret_home = home;
    return true;
}

bool home_lock(const ServerHome *home, int *ret_fd, Error *err)
{
    /* Whatever the umask: the server's user may have to pass through. */
    bool made = mkdir(home->sluice, 0711) == 0;
    if ((!made && errno != EEXIST) || (made && chmod(home->sluice, 0711) != 0))
        return fail(err, "cannot make", home->sluice);
    const char *path = arena_printf(home->arena, "%s/pg.lock", home->sluice);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(err, "cannot open", path);
    int64_t deadline = clock_monotonic() + LOCK_SECONDS * INT64_C(1000000);
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        bool waits = errno == EWOULDBLOCK || errno == EINTR;
        if (!waits)
            fail(err, "cannot lock", path);
        else if (interrupt_signal())
            error_set(err, ERROR_CANCELLED, "stopped by %s", strsignal(interrupt_signal()));
        else if (clock_monotonic() > deadline)
            error_set(err, ERROR_CONNECTION, "the private PostgreSQL: another process has held %s for %d s", path,
                      LOCK_SECONDS);
        if (!waits || interrupt_signal() || clock_monotonic() > deadline) {
            close(fd);
            return false;
        }
        clock_sleep(2000);
    }
    *ret_fd = fd;
    return true;
}

/* Hands a directory to the server's user, and sees whether that user can work in it by its path. */
static bool usable(const ServerHome *home, const char *dir)
{
    if (geteuid() == home->uid)
        return true;
    if (lchown(dir, home->uid, home->gid) != 0 || !home_enter(home, NULL))
        return false;
    struct stat st;
    bool ok =
        faccessat(AT_FDCWD, dir, R_OK | W_OK | X_OK, AT_EACCESS) == 0 && stat(dir, &st) == 0 && st.st_uid == home->uid;
    home_leave(home);
    return ok;
}

/* Outside of the project, under a name nobody else has, and a link to it from the project. */
static bool make_outside(ServerHome *home, const char *pg, Error *err)
{
    const char *const bases[] = {"/var/lib/sluice/", "/var/tmp/sluice-"};
    mkdir("/var/lib/sluice", 0711);
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        char *dir = arena_printf(home->arena, "%spg-XXXXXX", bases[i]);
        if (!mkdtemp(dir))
            continue;
        const char *owner = arena_printf(home->arena, "%s/project", dir);
        if (usable(home, dir) && file_write(owner, home->project, strlen(home->project), 0644, NULL) &&
            symlink(dir, pg) == 0)
            return true;
        int saved = errno;
        unlink(owner);
        rmdir(dir);
        errno = saved;
    }
    return fail(err, "no place that its user can reach for", pg);
}

static bool make_new(ServerHome *home, Error *err)
{
    const char *pg = arena_printf(home->arena, "%s/pg", home->sluice);
    struct stat st;
    if (lstat(pg, &st) == 0 && S_ISLNK(st.st_mode) && unlink(pg) != 0)
        return fail(err, "cannot replace the link", pg);
    if (mkdir(pg, 0700) != 0)
        return fail(err, "cannot make", pg);
    if (usable(home, pg))
        return true;
    if (rmdir(pg) != 0)
        return fail(err, "cannot remove", pg);
    return make_outside(home, pg, err);
}

bool home_make(ServerHome *home, Error *err)
{
    if (!home->exists) {
        if (!make_new(home, err))
            return false;
        ServerHome made;
        if (!home_find(home->project, home->arena, &made, err))
            return false;
        made.switches = home->switches; /* which cannot be seen any more once root has stepped down */
        *home = made;
        return true;
    }
    struct stat st;
    /* A home of root's own: we were killed before it was handed over. */
    if (home->switches && lstat(home->dir, &st) == 0 && st.st_uid == 0 && !usable(home, home->dir))
        return fail(err, "its user cannot reach", home->dir);
    if (home->moved) {
        const char *owner = arena_printf(home->arena, "%s/project", home->dir);
        if (!file_write(owner, home->project, strlen(home->project), 0644, err))
            return false;
        home->moved = false;
    }
    return true;
}

bool home_sockets_ours(const ServerHome *home)
{
    struct stat st;
    return lstat(home->sockets, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == home->uid && !(st.st_mode & 077);
}

bool home_prepare_sockets(const ServerHome *home, Error *err)
{
    if (mkdir(home->sockets, 0700) != 0 && errno != EEXIST)
        return fail(err, "cannot make", home->sockets);
    if (!home_sockets_ours(home)) {
        error_set(err, ERROR_CONNECTION, "the private PostgreSQL: %s is not a directory of its own", home->sockets);
        return error_hint(err, "see whose it is, and remove it");
    }
    /* Left behind by a server that was killed, or copied along with the project. */
    const char *lock = arena_printf(home->arena, "%s.lock", home->socket);
    if ((unlink(home->socket) != 0 && errno != ENOENT) || (unlink(lock) != 0 && errno != ENOENT))
        return fail(err, "cannot remove", home->socket);
    return true;
}
