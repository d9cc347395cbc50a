/* Fence: one run at a time per table.
 *
 * The lock is an advisory lock of the step's own transaction, which also publishes: whoever loses its connection
 * loses the lock and the work together, so there is nothing to be fenced off later, and a transaction pooler may
 * stand between. A process that was killed may leave its backend at work for a moment; where it ran on this
 * machine, and is gone, its backend is ended. So is the backend of a connection that this very run has lost.
 *
 * A REPEATABLE READ transaction takes its snapshot before it has the lock. So every table has a row in sluice.fences
 * that whoever gets the lock counts up: where another run published in between, that fails with SQLSTATE 40001, and the
 * transaction is to be begun again.
 *
 * A backfill does its chunks in several transactions, which share a table's lock: runs wait for them, and they for
 * runs, but not for each other. A chunk does not count up the fence, but marks a row of sluice.backfill_chunks as done,
 * and whoever gets the lock alone locks those that are not: that fails likewise. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "pg/conn.h"

/* Inside a transaction. Busy: ERROR_BUSY, saying who holds it; the transaction is still good. wait: waits for it. */
bool fence_lock_in_txn(Conn *conn, const char *schema, const char *table, int64_t run_id, const char *project,
                       bool wait, Error *err);
/* The same, shared with others that share it; not where somebody has it alone, or waits for that. Who then waits does
 * so outside the transaction, so as not to wait with a snapshot that grows old. */
bool fence_share_in_txn(Conn *conn, const char *schema, const char *table, int64_t run_id, const char *project,
                        bool *ret_shared, Error *err);
/* Inside a transaction, which may be READ COMMITTED and stay open with no more in it: one backfill at a time per table.
 * Has nothing to do with the table's lock. Busy and wait as with that. */
bool fence_backfill_in_txn(Conn *conn, const char *schema, const char *table, int64_t run_id, const char *project,
                           bool wait, Error *err);
