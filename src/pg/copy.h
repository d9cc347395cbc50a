/* Copy: COPY ... FROM STDIN, fed in large pieces.
 *
 * Runs inside the caller's transaction. The sender may be ahead of the server: an error the server has
 * already reported is returned by the next copy_put() or by copy_end(), with the record number that the
 * server names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pg/conn.h"

bool copy_begin(Conn *conn, const char *sql, Error *err); /* sql: the whole COPY statement */
bool copy_put(Conn *conn, const char *data, size_t n, Error *err);
/* Ends well; the rows the server took. */
bool copy_end(Conn *conn, int64_t *ret_rows, Error *err);
/* Ends a COPY that is to fail: the server gets reason, its answer is read and dropped. */
void copy_cancel(Conn *conn, const char *reason);

/* Of the last failed COPY: the record number (from 1, as in "COPY stage, line 17, column a") and the column
 * the server named in the error's context; 0 and NULL where it named none. Valid until the next statement. */
int64_t copy_error_record(const Conn *conn);
const char *copy_error_column(const Conn *conn);
