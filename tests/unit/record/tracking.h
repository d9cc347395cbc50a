/* Tracking: what the tests of record/track share: a server, a watcher and a writer, and what the ledger says. */
#pragma once

#include "../pg/fixture.h"

#include "record/ledger.h"
#include "record/track.h"

static char *g_project;
static Text g_url;
static Conn *g_conn, *g_writer;

static inline Conn *open_one(void)
{
    ERROR_AUTO(err);
    Conn *conn = NULL;
    ConnOptions options = {.url = text_str(&g_url), .project = "track"};
    assert_ok(conn_open(&options, &conn, &err));
    return conn;
}

static inline void run_on(Conn *conn, const char *sql)
{
    ERROR_AUTO(err);
    assert_ok(conn_exec(conn, sql, &err));
}

static inline int group_setup(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    if (fixture_start("track", &g_project, &g_url) != 0)
        return -1;
    g_conn = open_one();
    g_writer = open_one();
    bool ok = ledger_open(g_conn, &err) &&
              conn_exec(g_conn,
                        "create role writer; create role owner; grant all on schema public to owner, writer;"
                        "grant usage on schema sluice to owner; grant select on all tables in schema sluice to owner",
                        &err);
    fixture_show(&err);
    return ok ? 0 : -1;
}

static inline int group_teardown(void **state)
{
    (void)state;
    conn_close(g_conn);
    conn_close(g_writer);
    return fixture_stop(g_project, &g_url);
}

/* Each test begins with a table of its own making. */
static inline int reset(void **state)
{
    (void)state;
    run_on(g_conn, "reset role; drop schema if exists public cascade; create schema public;"
                   "grant all on schema public to owner, writer;"
                   "delete from sluice.changes; delete from sluice.tracked");
    run_on(g_writer, "reset all; reset role");
    return 0;
}

static inline TrackTable track_of(const char *table, const char *time_column, SqlTimeType type)
{
    return (TrackTable){
        .table = {.schema = "public", .name = table, .time_column = time_column, .time_type = type},
        .project = "p",
        .node = table,
        .trigger = true,
        .file = "sources/t.yaml",
        .line = 3,
        .column_number = 10,
    };
}
