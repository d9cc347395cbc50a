/* Wire: the inside of a Conn, for the files of this room alone.
 *
 * libpq runs in non-blocking mode; whoever waits does it here, on the socket and on base/interrupt. */
#pragma once

#include <libpq-fe.h>

#include "pg/conn.h"

enum { CONN_STATEMENTS = 48 };

/* A text that was asked; from the second time on it is prepared. */
typedef struct ConnStatement {
    const char *sql;
    bool prepared;
} ConnStatement;

typedef enum ConnPool { CONN_POOL_UNKNOWN, CONN_POOL_NONE, CONN_POOL_SOME } ConnPool;

struct Conn {
    PGconn *pg;
    char *place;
    bool misleading;        /* libpq may read the url otherwise than it was meant: log_secret_url() */
    bool lost;              /* the link is gone, or in a state nobody knows: nothing more is sent */
    bool shielded;          /* a signal does not cut statements short */
    bool no_check_interval; /* the server cannot do client_connection_check_interval */
    int64_t deadline;       /* clock_monotonic() until which a shielded call waits; 0: without end */
    int64_t limit;          /* conn_limit() */
    bool overdue;           /* conn_overdue() */
    bool cancelled;         /* the statement that runs was cancelled by us */
    int position;           /* conn_error_position() */
    ConnStatement statements[CONN_STATEMENTS];
    size_t statement_count;
    ConnPool pool; /* whether a pooler stands between, as far as statements could be prepared */
    int64_t copy_record;
    char *copy_column;
    int64_t notices;       /* seen so far */
    size_t copy_unchecked; /* bytes sent since the last look for an answer */
    int64_t suspect;       /* when something arrived during a COPY that was no notice; 0: nothing */
};

struct Rows {
    PGresult *result;
};

typedef enum WireWait { WIRE_READY, WIRE_INTERRUPTED, WIRE_TIMEOUT } WireWait;

/* Waits until fd has one of the poll() events, a signal came (unless shielded) or the deadline passed (0: none). */
WireWait wire_wait(int fd, short events, bool shielded, int64_t deadline);

/* Forgets what the last statement left (position, record of a COPY); false where the connection is lost, a signal has
 * come or the limit has passed. Every call that sends a statement begins with it. */
bool wire_ready(Conn *conn, Error *err);
/* Reads what the server has said meanwhile, without waiting. False: lost. */
bool wire_input(Conn *conn);
/* Gets rid of what libpq still holds back; reads what the server says meanwhile. False: lost or cancelled. */
bool wire_flush(Conn *conn);
/* The next result of the running statement, NULL after the last. On a signal, or at the limit, the statement is
 * cancelled once and its answer awaited for a few seconds; where none comes the connection counts as lost. */
PGresult *wire_result(Conn *conn);
/* Reads and drops all results that are left. */
void wire_drain(Conn *conn);

/* Fills err from a result that failed; NULL: from the connection. Returns false. */
bool wire_failed(Conn *conn, const PGresult *result, Error *err);
bool wire_lost(Conn *conn, const char *why, Error *err); /* marks it lost; why may be NULL */
bool wire_interrupted(Error *err);
/* Why a statement was cancelled, or is not begun: a signal, or the limit. Returns false. */
bool wire_stopped(const Conn *conn, Error *err);
/* Whether a statement is to be stopped now, which is noted; not while shielded. */
bool wire_to_stop(Conn *conn);

/* Appends libpq's or the server's text as one line, without secrets, of at most max bytes. */
void wire_one_line(Text *out, const char *s, size_t max);

/* Takes record and column of a failed COPY from the context of its error (PG_DIAG_CONTEXT, in any language) and
 * its column name, each or NULL. Here so that tests reach it. */
void copy_read_context(Conn *conn, const char *context, const char *column);
