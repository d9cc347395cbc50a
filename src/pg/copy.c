#include "pg/copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "pg/wire.h"

enum {
    PIECE = 256 * 1024, /* handed to libpq at once: what it buffers stays about as small */
    LOOK_AFTER = 64 * 1024,
    SUSPECT_MICROSECONDS = 500000,
    END_SECONDS = 5, /* for the server's answer to a COPY that is broken off */
};

int64_t copy_error_record(const Conn *conn) { return conn->copy_record; }

const char *copy_error_column(const Conn *conn) { return conn->copy_column; }

/* The line of the context that is the COPY's own; functions called by triggers have theirs before it. */
static const char *copy_line(const char *context)
{
    for (const char *p = context; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        if (str_starts(p, "COPY "))
            return p;
    }
    return NULL;
}

/* At s, `, WORD NUMBER` as in ", line 17", whatever the server's language calls it. What follows, or NULL. */
static const char *record_number(const char *s, int64_t *ret_number)
{
    if (!str_starts(s, ", "))
        return NULL;
    const char *p = s + 2;
    size_t word = strcspn(p, " ,:\"\n");
    if (word == 0 || p[word] != ' ')
        return NULL;
    char *end = NULL;
    p += word + 1;
    int64_t number = *p >= '1' && *p <= '9' ? strtoll(p, &end, 10) : 0;
    if (number <= 0 || (*end && *end != ',' && *end != ':' && *end != '\n'))
        return NULL;
    *ret_number = number;
    return end;
}

/* From `, column NAME: "value"`, `, column NAME: null input` or `, column NAME`. Nobody quotes the name. */
static char *column_name(const char *s)
{
    if (!str_starts(s, ", "))
        return NULL;
    s += 2;
    size_t word = strcspn(s, " ");
    if (s[word] != ' ')
        return NULL;
    s += word + 1;
    const char *end = strstr(s, ": \"");
    if (!end)
        end = strstr(s, ": ");
    if (!end)
        end = s + strcspn(s, "\n");
    Text name = {0};
    text_append_n(&name, s, (size_t)(end - s));
    return text_steal(&name);
}

void copy_read_context(Conn *conn, const char *context, const char *column)
{
    const char *line = copy_line(context);
    for (const char *p = line; p && *p && *p != '\n' && conn->copy_record == 0; p++) {
        const char *rest = record_number(p, &conn->copy_record);
        if (rest && !column)
            conn->copy_column = column_name(rest);
    }
    if (column) {
        free(conn->copy_column);
        conn->copy_column = mem_strdup(column);
    }
}

static bool fail(Conn *conn, const PGresult *result, Error *err)
{
    wire_failed(conn, result, err);
    if (result)
        copy_read_context(conn, PQresultErrorField(result, PG_DIAG_CONTEXT),
                          PQresultErrorField(result, PG_DIAG_COLUMN_NAME));
    return false;
}

/* The answer to a COPY that is over, for good or bad. */
static bool finish(Conn *conn, int64_t *ret_rows, Error *err)
{
    PGresult *result = wire_result(conn);
    bool ok = result && PQresultStatus(result) == PGRES_COMMAND_OK && !conn->cancelled;
    if (result && PQresultStatus(result) == PGRES_COPY_IN)
        conn->lost = true; /* the end mark did not get through */
    if (ok && ret_rows)
        *ret_rows = strtoll(PQcmdTuples(result), NULL, 10);
    if (!ok)
        fail(conn, result, err);
    PQclear(result);
    wire_drain(conn);
    return ok;
}

bool copy_begin(Conn *conn, const char *sql, Error *err)
{
    if (!wire_ready(conn, err))
        return false;
    conn->copy_unchecked = 0;
    log_debug("sql: %s", sql);
    if (!PQsendQuery(conn->pg, sql) || (!wire_flush(conn) && conn->lost))
        return wire_failed(conn, NULL, err);
    PGresult *result = wire_result(conn);
    ExecStatusType status = result ? PQresultStatus(result) : PGRES_FATAL_ERROR;
    if (status == PGRES_COPY_IN) {
        conn->suspect = 0;
        PQclear(result);
        return true;
    }
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_OUT)
        error_set(err, ERROR_FAILED, "the statement is no COPY FROM STDIN");
    else
        wire_failed(conn, result, err);
    PQclear(result);
    wire_drain(conn);
    return false;
}

/* Sends the end mark; reason NULL: the data is whole. */
static bool send_end(Conn *conn, const char *reason)
{
    int sent;
    while ((sent = PQputCopyEnd(conn->pg, reason)) == 0)
        if (!wire_flush(conn))
            return false;
    return sent > 0 && wire_flush(conn);
}

/* During COPY libpq leaves an error from the server in its buffer until the end is sent, and does not tell. But
 * nothing else than notices can arrive then, and those are counted. So when something came and no notice (nor the
 * rest of one) followed for a moment, it is an error, and sending on would be for nothing. */
static bool server_refused(Conn *conn)
{
    if (!wire_input(conn))
        return true;
    /* A local socket delivers whole messages: no need to wait for a rest. */
    const char *host = PQhost(conn->pg);
    int64_t wait = host && *host == '/' ? 0 : SUSPECT_MICROSECONDS;
    return conn->suspect && clock_monotonic() - conn->suspect >= wait;
}

static bool give_up(Conn *conn, const char *reason, Error *err)
{
    send_end(conn, reason);
    return finish(conn, NULL, err);
}

/* A signal or the limit between two waits: ending the COPY with an error is all that is needed to stop it. */
static bool interrupted(Conn *conn)
{
    if (conn->cancelled || !wire_to_stop(conn))
        return false;
    conn->cancelled = true;
    conn->deadline = clock_monotonic() + END_SECONDS * INT64_C(1000000);
    return true;
}

static bool put_piece(Conn *conn, const char *data, size_t n, Error *err)
{
    if (!conn_alive(conn))
        return wire_failed(conn, NULL, err);
    if (interrupted(conn))
        return give_up(conn, "stopped", err);
    conn->copy_unchecked += n;
    if (conn->copy_unchecked >= LOOK_AFTER) {
        conn->copy_unchecked = 0;
        if (server_refused(conn))
            return give_up(conn, "the server has reported an error", err);
    }
    int sent;
    while ((sent = PQputCopyData(conn->pg, data, (int)n)) == 0)
        if (!wire_flush(conn))
            return give_up(conn, "stopped", err);
    if (sent < 0 || !wire_flush(conn) || conn->cancelled)
        return give_up(conn, "stopped", err);
    return true;
}

bool copy_put(Conn *conn, const char *data, size_t n, Error *err)
{
    while (n > 0) {
        size_t piece = n < PIECE ? n : PIECE;
        if (!put_piece(conn, data, piece, err))
            return false;
        data += piece;
        n -= piece;
    }
    return true;
}

bool copy_end(Conn *conn, int64_t *ret_rows, Error *err)
{
    if (!conn_alive(conn))
        return wire_failed(conn, NULL, err);
    if (interrupted(conn))
        return give_up(conn, "stopped", err);
    if (!send_end(conn, NULL) && conn->lost)
        return wire_failed(conn, NULL, err);
    return finish(conn, ret_rows, err);
}

void copy_cancel(Conn *conn, const char *reason)
{
    if (!conn_alive(conn) || PQtransactionStatus(conn->pg) != PQTRANS_ACTIVE)
        return;
    bool shielded = conn->shielded;
    int64_t deadline = conn->deadline;
    conn_shield(conn, END_SECONDS);
    send_end(conn, reason);
    finish(conn, NULL, NULL);
    conn->shielded = shielded;
    conn->deadline = deadline;
}
