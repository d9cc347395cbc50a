/* Record listing: what is read from the ledger, as a listing. */
#pragma once

#include "cli/listing.h"
#include "pg/rows.h"
#include "project/project.h"

/* Begins a transaction that only reads, with times in the project's zone, and tells whether there is a ledger at all.
 * The connection is opened by it; closing it ends the transaction. */
bool record_open(const Project *project, Conn **ret_conn, bool *ret_exists, Error *err);

/* names: the columns to show, parted by blanks, in that order; NULL: all. A name that the result lacks is left out.
 * rows NULL: an empty one. The listing must be cleared. */
void record_listing(const Rows *rows, const char *names, Listing *ret_listing);
/* A cell by its column's name; NULL for null and for a name that the result lacks. */
const char *record_get(const Rows *rows, int row, const char *name);
