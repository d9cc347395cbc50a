/* Take back: the last kept publish of a table, reversed, as a run of its own in the record. */
#pragma once

#include "base/clock.h"
#include "build/step.h"
#include "publish/undo.h"

/* The table's fence is taken (busy: ERROR_BUSY), the rows are written back, what that touches is recorded, so that what
 * depends on the table follows with the next run. What the rows had been made from stays on record: the same file, or a
 * model whose SQL and inputs are as they were, is not published again unasked; see ledger_taken_back_in_txn().
 * *ret_run_id is set as soon as there is a run, 0 before. */
bool take_back(Conn *conn, const Project *project, const Node *node, Arena *arena, int64_t *ret_run_id, UndoTaken *ret,
               Error *err);
