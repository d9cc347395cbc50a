/* Conn: one connection to a PostgreSQL server.
 *
 * The only way to a database: private server, url, PG* variables, service files and .pgpass all end here.
 * Every wait looks at base/interrupt: on SIGINT or SIGTERM the running statement is cancelled on the server
 * and the call returns ERROR_CANCELLED. A Conn belongs to one thread.
 *
 * Only SET LOCAL is ever used, inside transactions, so that a transaction pooler may stand between: see
 * conn_begin(). Errors of statements are ERROR_FAILED with SQLSTATE, detail and hint; a lost connection, a
 * server that shuts down (57P01, 57P02, 57P03) or cannot be reached is ERROR_CONNECTION. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

typedef struct Conn Conn;
typedef struct Rows Rows;

typedef struct ConnOptions {
    const char *url;     /* a libpq URL or keyword string; NULL or "": PG* variables and libpq's defaults */
    const char *project; /* for application_name, see conn_session_name() */
    int connect_timeout; /* seconds for one attempt; 0: 10, unless the url says */
    int retry_for;       /* seconds to go on trying while the server is starting up or failing over; 0: once.
                            What retrying cannot mend (password, unknown database, TLS) is never retried. */
} ConnOptions;

bool conn_open(const ConnOptions *options, Conn **ret_conn, Error *err);
void conn_close(Conn *conn); /* NULL is fine */
void conn_close_p(Conn **conn);
#define CONN_AUTO(name) __attribute__((cleanup(conn_close_p))) Conn *name = NULL

/* application_name of a session: `sluice/<project>`, and in a step's transaction `sluice/<project>/<run>` (run 0:
 * none). All of it is printable ASCII, since servers replace other bytes, each version in its way: '?' for each of
 * them. Of the project's name as many bytes as leave room for any run in the 63 that the server takes: with a run or
 * without, all sessions of a project begin alike. Appends to out. */
void conn_session_name(const char *project, int64_t run_id, Text *out);

/* What a transaction runs under. Zero or NULL: leave the server's setting. */
typedef struct TxnOptions {
    const char *schema; /* search_path of the transaction: this schema alone (pg_catalog is implied) */
    const char *timezone;
    int lock_timeout;     /* milliseconds */
    bool repeatable_read; /* else read committed, whatever the server's default */
    bool read_only;
} TxnOptions;

/* Begins, and pins with SET LOCAL what results depend on: TimeZone, DateStyle 'ISO, YMD', IntervalStyle
 * 'postgres', extra_float_digits 1, bytea_output hex, row_security off, standard_conforming_strings on, array_nulls on,
 * client_connection_check_interval 1 s (so that the server notices when this process was killed), search_path; and the
 * isolation level, since who takes a lock and then looks must see what was committed meanwhile. One round trip. */
bool conn_begin(Conn *conn, const TxnOptions *options, Error *err);
/* A COMMIT whose answer was lost is ERROR_CONNECTION: the caller looks in the ledger whether it took place. After a
 * signal it is not begun (ERROR_CANCELLED); one that comes while it runs changes nothing about a true answer. */
bool conn_commit(Conn *conn, Error *err);
void conn_rollback(Conn *conn); /* never fails as far as the caller is concerned; outside a transaction nothing.
                                   Works after a signal too, bounded to a few seconds. */
/* For the next so many seconds statements run in spite of a signal that has come or comes, so that the end of a run
 * can be recorded; one that takes longer counts as a lost connection. 0: as before. */
void conn_shield(Conn *conn, int seconds);
/* The moment (of clock_monotonic()) from which on the statement that runs is cancelled, and calls fail with
 * ERROR_FAILED; 0: none. Not while shielded, and a rollback works in spite of it. */
void conn_limit(Conn *conn, int64_t until);
bool conn_overdue(const Conn *conn); /* whether a call has failed for that, since the limit was set */

/* One statement with parameters bound as text ($1...), NULL for null. ret_rows may be NULL; otherwise the
 * caller owns *ret_rows. The whole result is held: for small ones only. */
bool conn_query(Conn *conn, const char *sql, int n, const char *const params[], Rows **ret_rows, Error *err);
/* The same for a constant of the program (a file of sql/), which must outlive the connection: where it is asked again,
 * the server has it prepared, which for a look into the catalog is most of the work. Not through a pooler: what one
 * transaction prepares there another may not find. */
bool conn_query_often(Conn *conn, const char *sql, int n, const char *const params[], Rows **ret_rows, Error *err);
/* One or more statements without parameters, in one round trip; results are thrown away. */
bool conn_exec(Conn *conn, const char *sql, Error *err);
/* The same, and how many rows the last statement touched. */
bool conn_exec_counted(Conn *conn, const char *sql, int64_t *ret_rows, Error *err);

/* After a failed statement: the character position (from 1) that the server named in it, 0 for none. Set by
 * every call. Callers map it to the user's file with sql/shadow. */
int conn_error_position(const Conn *conn);

int conn_backend_pid(const Conn *conn); /* by the protocol; a pooler's own when one stands between */
bool conn_alive(Conn *conn);            /* not yet known to be lost */

/* SQL text with names and values put in safely (names of 1 to 63 bytes: the server would cut longer ones silently):
 *   %I identifier, quoted as libpq quotes it     %L literal, or NULL for a NULL pointer
 *   %s trusted SQL fragment, as it stands        %% percent
 * Appends to out. Names and values that are no UTF-8, and names of other lengths, are ERROR_PROJECT. */
bool conn_format(Conn *conn, Text *out, Error *err, const char *fmt, ...);
