#include "record/fence.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "pg/rows.h"
#include "record/statements.h"

/* FNV-1a, 64 bits: a key that every version and host of the program agrees on. Source: RFC draft-eastlake-fnv. */
static int64_t lock_key(const char *kind, const char *schema, const char *table)
{
    uint64_t hash = 0xcbf29ce484222325U;
    const char *const parts[] = {kind, schema, table};
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
typedef struct Fence {
    char key[DECIMAL_TEXT];
    const char *schema, *table;
    int64_t run_id;
    bool backfill; /* it is a backfill's, and there is no row to count up */
    Text session;  /* its name */
} Fence;

static void fence_init(Fence *fence, const char *schema, const char *table, int64_t run_id, const char *project,
                       bool backfill)
{
    *fence = (Fence){.schema = schema, .table = table, .run_id = run_id, .backfill = backfill};
    decimal_text(lock_key(backfill ? "sluice backfill" : "sluice", schema, table), fence->key);
    conn_session_name(project, run_id, &fence->session);
}

static void fence_clear(Fence *fence) { text_clear(&fence->session); }

static bool try_lock(Conn *conn, const Fence *fence, bool *ret_locked, Error *err)
{
    ROWS_AUTO(rows);
    const char *const params[] = {fence->key, fence->schema, fence->table, text_str(&fence->session)};
    bool asked = fence->backfill
                     ? conn_query(conn, sql_fence_backfill, 2, (const char *const[]){params[0], params[3]}, &rows, err)
                     : conn_query_often(conn, sql_fence, 4, params, &rows, err);
    if (!asked)
        return false;
    *ret_locked = rows_bool(rows, 0, 0);
    return true;
}

/* By the time the lock is had, a repeatable-read transaction may be too old to see what the other run did: the fence
 * then says so. */
static bool wait_lock(Conn *conn, const Fence *fence, Error *err)
{
    bool locked;
    return conn_query(conn, "select pg_catalog.pg_advisory_xact_lock($1::bigint)", 1, (const char *const[]){fence->key},
                      NULL, err) &&
           try_lock(conn, fence, &locked, err);
}

/* Whether nobody can use the holder's work any more: the process is gone, or it is this run, which has lost the
 * connection. */
static bool is_orphan(const Rows *holder, int64_t run_id)
{
    if (!rows_get(holder, 0, 1))
        return false;
    return rows_int(holder, 0, 1) == run_id || process_is_gone(rows_get(holder, 0, 3));
}

/* Tells the holder's backend to end. *ret_ended: it ends or has let go. told: the backend that was told before. */
static bool end_orphan(Conn *conn, const char *key, const Rows *holder, int64_t run_id, int64_t *told, bool *ret_ended,
                       Error *err)
{
    ROWS_AUTO(rows);
    const char *pid = rows_get(holder, 0, 0);
    if (!conn_query(conn, sql_lock_orphan_end, 2, (const char *const[]){key, pid}, &rows, err))
        return false;
    bool denied = rows_count(rows) > 0 && !rows_get(rows, 0, 0);
    *ret_ended = !denied;
    if (*told == rows_int(holder, 0, 0))
        return true;
    *told = rows_int(holder, 0, 0);
    const char *why = rows_int(holder, 0, 1) == run_id ? "lost its connection" : "was killed";
    if (denied)
        log_warn("run %s left backend %s behind when it %s; this role may not end it", rows_get(holder, 0, 1), pid,
                 why);
    else if (rows_count(rows) > 0)
        log_info("ending the backend that run %s left behind when it %s", rows_get(holder, 0, 1), why);
    return true;
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

static bool lock(Conn *conn, const Fence *fence, bool wait, Error *err)
{
    enum { ORPHAN_TRIES = 50, ORPHAN_PAUSE = 100 * 1000 };
    int64_t told = 0;
    for (int i = 0;; i++) {
        bool locked = false;
        if (!try_lock(conn, fence, &locked, err))
            return false;
        if (locked)
            return true;
        ROWS_AUTO(holder);
        if (!conn_query(conn, sql_table_lock_holder, 1, (const char *const[]){fence->key}, &holder, err))
            return false;
        bool gone = rows_count(holder) == 0;
        if (!gone && is_orphan(holder, fence->run_id) &&
            !end_orphan(conn, fence->key, holder, fence->run_id, &told, &gone, err))
            return false;
        if (!gone || i == ORPHAN_TRIES)
            return wait ? wait_lock(conn, fence, err) : busy(holder, fence->schema, fence->table, err);
        clock_sleep(ORPHAN_PAUSE);
    }
}

bool fence_lock_in_txn(Conn *conn, const char *schema, const char *table, int64_t run_id, const char *project,
                       bool wait, Error *err)
{
    Fence fence CLEANUP(fence_clear);
    fence_init(&fence, schema, table, run_id, project, false);
    return lock(conn, &fence, wait, err);
}

bool fence_backfill_in_txn(Conn *conn, const char *schema, const char *table, int64_t run_id, const char *project,
                           bool wait, Error *err)
{
    Fence fence CLEANUP(fence_clear);
    fence_init(&fence, schema, table, run_id, project, true);
    return lock(conn, &fence, wait, err);
}

bool fence_share_in_txn(Conn *conn, const char *schema, const char *table, int64_t run_id, const char *project,
                        bool *ret_shared, Error *err)
{
    Fence fence CLEANUP(fence_clear);
    fence_init(&fence, schema, table, run_id, project, false);
    ROWS_AUTO(rows);
    if (!conn_query_often(conn, sql_fence_share, 4,
                          (const char *const[]){fence.key, fence.schema, fence.table, text_str(&fence.session)}, &rows,
                          err))
        return false;
    *ret_shared = rows_bool(rows, 0, 0);
    return true;
}
