/* Fence: one run at a time per table.
 *
 * The lock is an advisory lock of the step's own transaction, which also publishes: whoever loses its connection
 * loses the lock and the work together, so there is nothing to be fenced off later, and a transaction pooler may
 * stand between. A process that was killed may leave its backend at work for a moment; where it ran on this
 * machine, and is gone, its backend is ended. So is the backend of a connection that this very run has lost.
 *
 * A REPEATABLE READ transaction takes its snapshot before it has the lock. So every table has a row in sluice.fences
 * that whoever gets the lock counts up: where another run published in between, that fails with SQLSTATE 40001, and the
 * transaction is to be begun again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "pg/conn.h"

/* Inside a transaction. Busy: ERROR_BUSY, saying who holds it; the transaction is still good. wait: waits for it. */
bool fence_lock_in_txn(Conn *conn, const char *schema, const char *table, int64_t run_id, const char *project,
                       bool wait, Error *err);
