/* ServerHome: where the private PostgreSQL of a project lives, and as whom it runs.
 *
 *     PROJECT/.sluice/pg           the home: a directory, or a symbolic link to one
 *     PROJECT/.sluice/pg.lock      held while one process looks after the server
 *     HOME/project                 the project a home outside it belongs to
 *     HOME/data                    PostgreSQL's data directory, with our mark in it
 *     HOME/run                     the socket, unless the path is too long: then /tmp/sluice-UID-HASH
 *     HOME/log                     the server's log
 *     HOME/alive                   locked by the server as long as any of its processes lives
 *     HOME/databases               names of the databases known to be there, one a line
 *
 * As whom: the plain user who calls. Called by root: the owner of the project; where that is root, `postgres`, or
 * `nobody`, and the home lies outside the project if that user cannot reach it there. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

enum { HOME_GROUPS_MAX = 64 };

typedef struct ServerHome {
    Arena *arena;        /* the caller's; holds every string */
    const char *project; /* real path */
    const char *sluice;  /* PROJECT/.sluice */
    bool exists;         /* else nothing below but the user */
    bool moved;          /* HOME/project names a place where the project stood before */
    const char *dir;     /* real path */
    const char *data;
    const char *log;
    const char *alive;
    const char *databases;
    const char *sockets;
    const char *socket; /* the socket's path */

    uid_t uid; /* the server's user */
    gid_t gid;
    int group_count;
    gid_t groups[HOME_GROUPS_MAX];
    const char *user; /* its name, or NULL */
    bool switches;    /* we are root, the server is not */
} ServerHome;

/* Looks where it is; changes nothing. A home that is a copy's link to another project's is none. */
bool home_find(const char *project_dir, Arena *arena, ServerHome *ret_home, Error *err);
/* Makes it if there is none, and brings HOME/project up to date. Under home_lock(). */
bool home_make(ServerHome *home, Error *err);
/* Waits for the lock, bounded; ret_fd is closed by the caller (and on exec by the kernel). */
bool home_lock(const ServerHome *home, int *ret_fd, Error *err);
/* The socket's directory: made, or found to be ours alone. Under the rights of the server's user. */
bool home_prepare_sockets(const ServerHome *home, Error *err);
bool home_sockets_ours(const ServerHome *home);

/* Takes on the rights of the server's user for a while, and back; nothing where we are that user. The whole process
 * changes: not while other threads work. */
bool home_enter(const ServerHome *home, Error *err);
void home_leave(const ServerHome *home);
/* For good, in a child between fork and exec. */
bool home_become(const ServerHome *home);
