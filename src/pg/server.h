/* Server: the private PostgreSQL of a project.
 *
 * Made by initdb and started on demand under DIR/.sluice, listening on a unix socket only, left running for
 * the next command. Two commands that start it at once end with one server. After kill -9 of anything (this
 * program, the postmaster, the machine) the next start recovers by itself. Never touches a data directory that
 * it did not make (a marker file, and the owner's uid, tell). A project that was moved keeps it, a copy gets its own.
 *
 * The server runs as the plain user who calls. Called by root it runs as the owner of DIR; where that is root, as
 * `postgres` or `nobody`, its data kept where that user can reach it: under .sluice where every parent lets it
 * through, else under /var/lib/sluice or /var/tmp, with .sluice/pg a symbolic link to it. Root takes on that user's
 * rights for the time of the call, the whole process does: not while other threads work.
 *
 * All errors are ERROR_CONNECTION, or ERROR_CANCELLED on a signal. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

/* Starts it if it does not run (0.3 ms where it does; 1 s the first time, 0.1 s later). *ret_started tells whether this
 * call did (to be said to the user, once). Appends a libpq keyword string to ret_url: socket directory, user, dbname.
 * dbname is made if it does not exist. The PG* variables that libpq reads are unset: they are for other servers than
 * this one. To be called before there are other threads. */
bool server_start(const char *project_dir, const char *dbname, bool *ret_started, Text *ret_url, Error *err);
/* Stops it (fast shutdown). *ret_was_running false: there was none. */
bool server_stop(const char *project_dir, bool *ret_was_running, Error *err);
/* Whether it runs and answers. */
bool server_running(const char *project_dir);
/* The directory of PostgreSQL's programs (initdb, postgres): $SLUICE_PG_BINDIR, the newest of
 * /usr/lib/postgresql/N/bin, `pg_config --bindir`, PATH. Error with the package to install where there is none. */
bool server_bindir(Text *ret_dir, Error *err);
