/* Undo: publishes of a table that can be taken back.
 *
 * sluice.undo has an entry for each, sluice.undo_rows the rows that it changed: as they were before (whole rows of the
 * table) and as it put them there (the columns that it wrote), as text. */
#pragma once

#include "publish/diff.h"

/* Between diff_find() and diff_write(), under the table's fence: keeps what diff is about to change, and lets go of the
 * oldest entries, so that keep of them stay (keep > 0). Where nothing differs nothing is kept. */
bool undo_keep(Conn *conn, const Diff *diff, int64_t step_id, int keep, Error *err);

typedef struct UndoTaken {
    int64_t step_id;          /* of the publish that was taken back */
    const char *published_at; /* ISO 8601, UTC */
    DiffCounts counts;        /* what taking it back wrote */
    int64_t rows_total;       /* of the table before the publish, and */
    int64_t delivery_rows;    /* of the delivery accepted before; -1: not known */
} UndoTaken;

/* In the caller's transaction (conn_begin(), which pins how values are written), under the table's fence: reverses the
 * newest kept publish of the target, says in sluice.changes what that touched of its time column (scope), and removes
 * the entry. Rows are matched by their text, each as often as it was published. ERROR_FAILED, and the transaction is to
 * be rolled back: nothing is kept; the columns are not those of then; a row is no longer there as it was published
 * (which is shown). Identity columns that are always generated get new values in rows that come back. scope->number
 * must be unique among work in progress, as for a diff; step_id is of the step that takes back. */
bool undo_take_back(Conn *conn, const Table *target, const DiffScope *scope, int64_t step_id, Arena *arena,
                    UndoTaken *ret, Error *err);
