/* ServerProgram: PostgreSQL's programs, run as the server's user with nothing of our surroundings: an environment
 * of its own (no PG*), standard input from /dev/null, no descriptors of ours, a session of its own, in /. */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "pg/server_home.h"

/* Runs a program to its end; what it prints, both streams, is appended to output (bounded). A signal to us ends it.
 * home may be NULL: as we are. True: it exited with 0. err is set where it could not be run, or we were stopped. */
bool program_run(const ServerHome *home, char *const argv[], Text *output, int *ret_status, Error *err);
/* Starts a program that outlives us and is nobody's child: output is appended to log; keep_fd stays open in it. */
bool program_launch(const ServerHome *home, char *const argv[], const char *log, int keep_fd, Error *err);

/* The directory whose postgres has that major version: the usual one first. */
bool program_bindir_for(int major, Text *ret_dir, Error *err);

/* The last lines of a file, for a message; at most max bytes. Appends "" where it cannot be read. */
void program_tail(const char *path, size_t max, Text *out);
