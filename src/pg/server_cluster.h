/* ServerCluster: the data directory of the private PostgreSQL, and the databases in it. All under the lock and the
 * rights of the server's user. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/text.h"
#include "pg/server_home.h"

/* Makes it, or sees that it is one of ours. Appends the directory of the programs of its version. */
bool cluster_prepare(const ServerHome *home, Text *ret_bindir, Error *err);
/* The process that postmaster.pid names, if it is one that works in this very data directory; else 0. */
pid_t cluster_postmaster(const ServerHome *home);
/* Whether postmaster.pid says that the server takes connections. */
bool cluster_ready(const ServerHome *home);

/* Whether the database is known to be there. The record is forgotten at every start of the server. */
bool cluster_knows(const ServerHome *home, const char *dbname);
void cluster_forget(const ServerHome *home);
/* Makes the database if it is not there, and records it. */
bool cluster_database(const ServerHome *home, const char *dbname, Error *err);
/* Unsets the environment's variables for libpq, so that none of them reaches a connection to this server. */
void cluster_clear_environment(void);
/* Appends the keyword string of a connection; nothing in the environment leads it elsewhere. */
void cluster_url(const ServerHome *home, const char *dbname, Text *out);
