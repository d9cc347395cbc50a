/* Track: tables that others write, whose changes are to be known.
 *
 * `changes: trigger`: statement triggers with transition tables, ENABLE ALWAYS, on the table and every partition, which
 * write sluice.changes in the writer's own transaction (SECURITY DEFINER, fixed search_path: writers need no rights).
 * A fingerprint (relfilenode, partitions, columns, triggers with the state they are in) is kept in sluice.tracked: what
 * the triggers cannot see (ATTACH, DETACH, a trigger that was off for a while) changes it, and then an entry says that
 * everything may have changed.
 *
 * `changes: {column: c}`: rows inserted or updated since a snapshot are found by the age of their xmin. Only for tables
 * whose rows are never deleted and whose time never changes, which the user promises. */
#pragma once

#include "base/arena.h"
#include "pg/conn.h"
#include "record/change.h"

typedef struct TrackTable {
    ChangeTable table;
    const char *project, *node;
    bool trigger; /* else by column: */
    const char *column;
    const char *file; /* where `changes` is declared, for errors */
    int line, column_number;
} TrackTable;

typedef enum TrackChange {
    TRACK_HELD,      /* nothing was to be done */
    TRACK_INSTALLED, /* for the first time */
    TRACK_RENEWED,   /* they, or the table, were not as they had been left */
} TrackChange;

/* Puts the triggers there, or finds them whole, or mends them with an entry for everything; a transaction of its own,
 * short, with a lock_timeout. ERROR_FAILED, with the reason, where they cannot be complete: a view, a foreign table, an
 * unlogged table (emptied by a crash), a table that logical replication writes, missing rights. */
bool track_install(Conn *conn, const TrackTable *track, TrackChange *ret_change, Error *err);
/* Takes away the triggers of every table that the project tracks and that is not among keep. */
bool track_remove_others(Conn *conn, const char *project, const TrackTable *keep, size_t count, Error *err);
/* Whether the fingerprint holds, asked in the caller's transaction (a step's, or a plan's, which is read only). */
bool track_holds(Conn *conn, const TrackTable *track, bool *ret_holds, Error *err);
/* `changes: {column:}`: what was touched since snapshot (NULL: everything), from the table itself. A table whose rows
 * have no xmin (foreign), or that has no such column, is everything. */
bool track_by_column(Conn *conn, const TrackTable *track, const char *snapshot, Touched *ret, Error *err);
