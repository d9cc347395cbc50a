#include "pg/conn.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "pg/rows.h"
#include "pg/wire.h"

enum { ROLLBACK_SECONDS = 5 };

void conn_close(Conn *conn)
{
    if (!conn)
        return;
    PQfinish(conn->pg);
    free(conn->place);
    free(conn->copy_column);
    free(conn);
}

void conn_close_p(Conn **conn)
{
    conn_close(*conn);
    *conn = NULL;
}

int conn_error_position(const Conn *conn) { return conn->position; }

int conn_backend_pid(const Conn *conn) { return PQbackendPID(conn->pg); }

bool conn_alive(Conn *conn) { return !conn->lost && PQstatus(conn->pg) == CONNECTION_OK; }

void conn_shield(Conn *conn, int seconds)
{
    conn->shielded = seconds > 0;
    conn->deadline = seconds > 0 ? clock_monotonic() + seconds * INT64_C(1000000) : 0;
}

void conn_limit(Conn *conn, int64_t until)
{
    conn->limit = until;
    conn->overdue = false;
}

bool conn_overdue(const Conn *conn) { return conn->overdue; }

static bool is_copy(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* A COPY among ordinary statements has nobody to feed or read it. The connection is out of step after it. */
static bool refuse_copy(Conn *conn, PGresult *result, Error *err)
{
    PQclear(result);
    conn->lost = true;
    return error_set(err, ERROR_FAILED, "COPY with STDIN or STDOUT cannot stand here");
}

/* All results of what was sent; the last one that succeeded is the caller's. */
static bool collect(Conn *conn, PGresult **ret_last, Error *err)
{
    PGresult *last = NULL;
    PGresult *result;
    bool ok = true;
    while ((result = wire_result(conn))) {
        if (is_copy(result)) {
            PQclear(last);
            return refuse_copy(conn, result, err);
        }
        ExecStatusType status = PQresultStatus(result);
        bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
        if (!good && ok)
            ok = wire_failed(conn, result, err);
        if (good && ok) {
            PQclear(last);
            last = result;
        } else {
            PQclear(result);
        }
        if (PQstatus(conn->pg) == CONNECTION_BAD)
            break;
    }
    if (ok && (conn->lost || !last))
        ok = wire_failed(conn, NULL, err);
    if (!ok) {
        PQclear(last);
        return false;
    }
    *ret_last = last;
    return true;
}

static bool answer(Conn *conn, bool sent, PGresult **ret_last, Error *err)
{
    if (!sent)
        return wire_failed(conn, NULL, err);
    if (!wire_flush(conn) && (conn->lost || conn->cancelled))
        return wire_failed(conn, NULL, err);
    return collect(conn, ret_last, err);
}

/* A statement that was cancelled, but which was done before the server noticed, is still told as stopped:
 * the caller is to end. Only for COMMIT does it matter what became of it. */
static bool run_simple(Conn *conn, const char *sql, PGresult **ret_last, Error *err)
{
    if (!wire_ready(conn, err))
        return false;
    log_debug("sql: %s", sql);
    return answer(conn, PQsendQuery(conn->pg, sql) == 1, ret_last, err);
}

static bool stopped(Conn *conn, PGresult *result, Error *err)
{
    if (!conn->cancelled)
        return false;
    PQclear(result);
    wire_stopped(conn, err);
    return true;
}

bool conn_exec_counted(Conn *conn, const char *sql, int64_t *ret_rows, Error *err)
{
    PGresult *result = NULL;
    if (!run_simple(conn, sql, &result, err) || stopped(conn, result, err))
        return false;
    *ret_rows = strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return true;
}

bool conn_exec(Conn *conn, const char *sql, Error *err)
{
    int64_t ignored;
    return conn_exec_counted(conn, sql, &ignored, err);
}

/* Awaits what a statement with parameters gives. */
static bool take_rows(Conn *conn, bool sent, Rows **ret_rows, Error *err)
{
    PGresult *result = NULL;
    if (!answer(conn, sent, &result, err) || stopped(conn, result, err))
        return false;
    if (!ret_rows) {
        PQclear(result);
        return true;
    }
    *ret_rows = mem_alloc(sizeof **ret_rows);
    (*ret_rows)->result = result;
    return true;
}

bool conn_query(Conn *conn, const char *sql, int n, const char *const params[], Rows **ret_rows, Error *err)
{
    if (!wire_ready(conn, err))
        return false;
    log_debug("sql: %s", sql);
    return take_rows(conn, PQsendQueryParams(conn->pg, sql, n, NULL, params, NULL, NULL, 0) == 1, ret_rows, err);
}

/* A pooler tells its own number for the backend's. */
static bool find_pooler(Conn *conn, Error *err)
{
    ROWS_AUTO(rows);
    if (!conn_query(conn, "select pg_catalog.pg_backend_pid()", 0, NULL, &rows, err))
        return false;
    conn->pool = rows_int(rows, 0, 0) == PQbackendPID(conn->pg) ? CONN_POOL_NONE : CONN_POOL_SOME;
    return true;
}

/* Which of the statements a text is, as a name; empty: it is to be sent as it is, this time or always. */
static bool statement_name(Conn *conn, const char *sql, char name[32], Error *err)
{
    size_t i = 0;
    *name = '\0';
    while (i < conn->statement_count && conn->statements[i].sql != sql)
        i++;
    if (i == CONN_STATEMENTS || conn->pool == CONN_POOL_SOME)
        return true;
    if (i == conn->statement_count) {
        conn->statements[conn->statement_count++].sql = sql;
        return true;
    }
    if (conn->pool == CONN_POOL_UNKNOWN && !find_pooler(conn, err))
        return false;
    if (conn->pool == CONN_POOL_SOME)
        return true;
    snprintf(name, 32, "sluice_%zu", i);
    if (conn->statements[i].prepared)
        return true;
    bool good = wire_ready(conn, err) && take_rows(conn, PQsendPrepare(conn->pg, name, sql, 0, NULL) == 1, NULL, err);
    conn->statements[i].prepared = good;
    return good;
}

bool conn_query_often(Conn *conn, const char *sql, int n, const char *const params[], Rows **ret_rows, Error *err)
{
    char name[32];
    if (!statement_name(conn, sql, name, err))
        return false;
    if (!*name)
        return conn_query(conn, sql, n, params, ret_rows, err);
    if (!wire_ready(conn, err))
        return false;
    log_debug("sql: %s", sql);
    return take_rows(conn, PQsendQueryPrepared(conn->pg, name, n, params, NULL, NULL, 0) == 1, ret_rows, err);
}

static bool begin_statement(Conn *conn, const TxnOptions *options, Text *sql, Error *err)
{
    text_appendf(sql, "begin isolation level %s%s", options->repeatable_read ? "repeatable read" : "read committed",
                 options->read_only ? " read only" : "");
    text_append(sql, "; set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'"
                     "; set local extra_float_digits = 1; set local bytea_output = 'hex'; set local row_security = off"
                     "; set local standard_conforming_strings = on; set local array_nulls = on");
    if (PQserverVersion(conn->pg) >= 140000 && !conn->no_check_interval)
        text_append(sql, "; set local client_connection_check_interval = 1000");
    if (options->lock_timeout > 0)
        text_appendf(sql, "; set local lock_timeout = %d", options->lock_timeout);
    if (options->timezone && !conn_format(conn, sql, err, "; set local timezone = %L", options->timezone))
        return false;
    return !options->schema || conn_format(conn, sql, err, "; set local search_path = %I", options->schema);
}

bool conn_begin(Conn *conn, const TxnOptions *options, Error *err)
{
    TEXT_AUTO(sql);
    if (!begin_statement(conn, options, &sql, err))
        return false;
    ERROR_AUTO(first);
    if (conn_exec(conn, text_str(&sql), &first))
        return true;
    conn_rollback(conn);
    /* On some platforms the server cannot watch its client and refuses the setting: then it goes without. */
    if (str_eq(first.sqlstate, "22023") && !conn->no_check_interval) {
        conn->no_check_interval = true;
        text_reset(&sql);
        if (begin_statement(conn, options, &sql, err) && conn_exec(conn, text_str(&sql), err))
            return true;
        conn_rollback(conn);
        conn->no_check_interval = false; /* so it was another setting, such as the time zone */
        return false;
    }
    error_move(err, &first);
    return false;
}

bool conn_commit(Conn *conn, Error *err)
{
    PGresult *result = NULL;
    if (!run_simple(conn, "commit", &result, err)) {
        if (conn->lost)
            error_set(err, ERROR_CONNECTION, "the connection to %s was lost while committing", conn->place);
        return false;
    }
    /* COMMIT of a failed transaction is a success to the protocol. */
    bool committed = !str_eq(PQcmdStatus(result), "ROLLBACK");
    PQclear(result);
    if (!committed)
        return error_set(err, ERROR_FAILED, "the transaction had failed and was rolled back");
    return true;
}

void conn_rollback(Conn *conn)
{
    if (!conn_alive(conn) || PQtransactionStatus(conn->pg) == PQTRANS_IDLE)
        return;
    bool shielded = conn->shielded;
    int64_t deadline = conn->deadline;
    int position = conn->position;
    conn_shield(conn, ROLLBACK_SECONDS);
    wire_drain(conn);
    PGresult *result = NULL;
    if (run_simple(conn, "rollback", &result, NULL))
        PQclear(result);
    else
        conn->lost = true;
    conn->shielded = shielded;
    conn->deadline = deadline;
    conn->position = position;
}
