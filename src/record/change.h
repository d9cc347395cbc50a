/* Change: which rows of a table were touched, by which publish, and what of it a step has not seen yet.
 *
 * Entries (sluice.changes) are inserted with the transaction that touches the rows and carry its id. They are never
 * ordered by id or clock: a writer that opened first may commit last. A step reads entries and inputs in one REPEATABLE
 * READ snapshot and stores that snapshot when it publishes; pending is what is not visible in the stored snapshot.
 *
 * In the ledger times are whole days (a date's number from 2000-01-01, of timestamptz by UTC; -infinity and infinity as
 * -2147483648 and 2147483647) in an int8multirange, integers are themselves; rounded outward, at most CHANGE_RANGES.
 * Days past 294276-12-31, which no timestamp reaches, are read back as a range without end. */
#pragma once

#include "base/arena.h"
#include "pg/conn.h"
#include "sql/catalog.h"
#include "sql/ranges.h"

enum { CHANGE_RANGES = 64 };

typedef struct ChangeTable {
    const char *schema, *name;
    const char *time_column; /* NULL: none, then everything is recorded as touched */
    SqlTimeType time_type;
} ChangeTable;

/* SQL text of an aggregate over `time` (an SQL expression of that type) that gives the touched set as it stands in the
 * ledger: int8multirange of at most CHANGE_RANGES ranges. For use inside larger statements by publish/. Appended to
 * out: a scalar subquery over `from` (SQL of a FROM item whose column `t` holds the times; nulls are passed over). */
void change_ranges_sql(SqlTimeType type, const char *from, Text *out);
/* The number of a single time `t`, as an SQL expression. */
void change_number_sql(SqlTimeType type, Text *out);

/* Inside the publishing transaction: records what it touched. ranges: text of an int8multirange as change_ranges_sql()
 * gives it, or NULL for none. */
typedef struct ChangeEntry {
    const char *schema, *table;
    int64_t step_id; /* 0: of no step */
    const char *ranges;
    bool nulls, everything;
} ChangeEntry;
bool change_record_in_txn(Conn *conn, const ChangeEntry *entry, Error *err);
/* To the text of an int8multirange, rounded outward, and back: added to ret; false where it is no such text. */
void change_ranges_text(const Ranges *ranges, SqlTimeType type, Text *out);
bool change_ranges_read(const char *text, SqlTimeType type, Ranges *ret);

/* What a table's entries say that is not visible in a snapshot (text of pg_snapshot; NULL: everything). One call for
 * many: an array of requests, answers in ret, in one statement, or two. A snapshot so old that entries after it may
 * have been removed is everything; so is any entry of a table without a time column. */
typedef struct ChangeRequest {
    ChangeTable table;
    const char *snapshot;
} ChangeRequest;
bool change_pending(Conn *conn, const ChangeRequest *requests, size_t count, Touched *ret, Error *err);

/* The transaction's snapshot, to be stored with what was computed from it. In the arena. */
bool change_snapshot(Conn *conn, Arena *arena, const char **ret_snapshot, Error *err);

/* Drops entries over a day old that every stored snapshot sees; a snapshot that is over LEDGER_DAYS old is forgotten,
 * so that it does not hold them back for ever. Bounded per call; at once with others at work. */
bool change_prune(Conn *conn, Error *err);
