#include "record/fence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "pg/rows.h"
#include "record/statements.h"

/* FNV-1a, 64 bits: a key that every version and host of the program agrees on. Source: RFC draft-eastlake-fnv. */
static int64_t lock_key(const char *schema, const char *table)
{
    uint64_t hash = 0xcbf29ce484222325U;
    const char *const parts[] = {"sluice", schema, table};
    for (size_t i = 0; i < 3; i++)
        for (const char *p = parts[i];; p++) {
            hash = (hash ^ (unsigned char)*p) * 0x100000001b3U;
            if (!*p)
                break;
        }
    int64_t key;
    memcpy(&key, &hash, sizeof key);
    return key;
}

/* The run's id in application_name lets others see whom they wait for. SET LOCAL, for poolers. */
static bool name_session(Conn *conn, const char *project, int64_t run_id, Error *err)
{
    TEXT_AUTO(id);
    text_appendf(&id, "/%" PRId64, run_id);
    TEXT_AUTO(name);
    text_appendf(&name, "sluice/%.*s%s", (int)(63 - strlen("sluice/") - id.len), project, text_str(&id));
    return conn_query(conn, "select pg_catalog.set_config('application_name', $1, true)", 1,
                      (const char *const[]){text_str(&name)}, NULL, err);
}

static bool try_lock(Conn *conn, const char *key, bool *ret_locked, Error *err)
{
    ROWS_AUTO(rows);
    if (!conn_query(conn, "select pg_catalog.pg_try_advisory_xact_lock($1::bigint)", 1, (const char *const[]){key},
                    &rows, err))
        return false;
    *ret_locked = rows_bool(rows, 0, 0);
    return true;
}

static bool wait_lock(Conn *conn, const char *key, Error *err)
{
    return conn_query(conn, "select pg_catalog.pg_advisory_xact_lock($1::bigint)", 1, (const char *const[]){key}, NULL,
                      err);
}

/* True where nobody can use the holder's work any more, and its backend was told to end: the process is gone, or it
 * is this run, which has lost the connection. */
static bool end_orphan(Conn *conn, const Rows *holder, int64_t run_id)
{
    const char *run = rows_get(holder, 0, 1), *process = rows_get(holder, 0, 3);
    if (!run)
        return false;
    bool own = rows_int(holder, 0, 1) == run_id;
    if (!own && !process_is_gone(process))
        return false;
    log_info("ending the backend that run %s left behind when it %s", run, own ? "lost its connection" : "was killed");
    return conn_query(conn, "select pg_catalog.pg_terminate_backend($1::int)", 1,
                      (const char *const[]){rows_get(holder, 0, 0)}, NULL, NULL);
}

static bool busy(const Rows *holder, const char *schema, const char *table, Error *err)
{
    const char *run = rows_count(holder) ? rows_get(holder, 0, 1) : NULL;
    if (run)
        error_set(err, ERROR_BUSY, "%s.%s is being built by run %s (%s on %s, since %s)", schema, table, run,
                  rows_get(holder, 0, 4), rows_get(holder, 0, 2), rows_get(holder, 0, 5));
    else
        error_set(err, ERROR_BUSY, "%s.%s is being built by another run", schema, table);
    return error_hint(err, "--wait waits for it");
}

bool fence_lock_in_txn(Conn *conn, const char *schema, const char *table, int64_t run_id, const char *project,
                       bool wait, Error *err)
{
    enum { ORPHAN_TRIES = 50, ORPHAN_PAUSE = 100 * 1000 };
    char key[24];
    snprintf(key, sizeof key, "%" PRId64, lock_key(schema, table));
    if (!name_session(conn, project, run_id, err))
        return false;
    for (int i = 0;; i++) {
        bool locked = false;
        if (!try_lock(conn, key, &locked, err))
            return false;
        if (locked)
            return true;
        ROWS_AUTO(holder);
        if (!conn_query(conn, sql_table_lock_holder, 1, (const char *const[]){key}, &holder, err))
            return false;
        bool gone = rows_count(holder) == 0 || end_orphan(conn, holder, run_id);
        if (!gone && wait)
            return wait_lock(conn, key, err);
        if (!gone || i == ORPHAN_TRIES)
            return busy(holder, schema, table, err);
        clock_sleep(ORPHAN_PAUSE);
    }
}
