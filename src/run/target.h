/* Target: the way from a project to its database. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "pg/conn.h"
#include "project/project.h"

/* Connects to the chosen target. Where that is the private PostgreSQL it is started first if it does not run; that it
 * was, and goes on running, is logged. */
bool target_connect(const Project *project, Conn **ret_conn, Error *err);
/* The same over a url that is known: nothing is started. May be called by several threads at once. */
bool target_connect_to(const Project *project, const char *url, Conn **ret_conn, Error *err);
/* The libpq URL or keyword string of the target, appended to out; starts the private PostgreSQL likewise. */
bool target_url(const Project *project, Text *out, Error *err);
