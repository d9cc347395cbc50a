/* Publishing: what the tests of this room share: a server with a ledger, and a connection to it. */
#pragma once

#include "../pg/fixture.h"

#include "record/ledger.h"

static char *g_project;
static Text g_url;
static Conn *g_conn;

static inline int group_setup(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    if (fixture_start("publish", &g_project, &g_url) != 0)
        return -1;
    ConnOptions options = {.project = "publish", .url = text_str(&g_url)};
    return conn_open(&options, &g_conn, &err) && ledger_open(g_conn, &err) ? 0 : -1;
}

static inline int group_teardown(void **state)
{
    (void)state;
    conn_close(g_conn);
    return fixture_stop(g_project, &g_url);
}

static inline void exec(const char *sql)
{
    ERROR_AUTO(err);
    assert_ok(conn_exec(g_conn, sql, &err));
}

static inline int64_t count_of(const char *sql)
{
    ERROR_AUTO(err);
    ROWS_AUTO(rows);
    assert_ok(conn_query(g_conn, sql, 0, NULL, &rows, &err));
    return rows_int(rows, 0, 0);
}
