/* Dress: what a node's file says of its relation besides the rows: indexes, grants, comments.
 *
 * One query of the catalog tells what is to be done, and where all is as it should be nothing is written. Callers know
 * by a hash of what is declared when not even that is needed.
 *
 * - indexes: an index that has exactly these columns serves, whoever made it. Those made here are named sluice_ix_...,
 *   and are dropped when the file no longer asks for their columns; nothing else is.
 * - grants: what was granted here (sluice.relations.granted) is revoked when the file no longer asks for it. Grants of
 *   others are left alone, also where the file asks for the same.
 * - comments: of the table and of columns; one that was put here (sluice.relations.commented) is taken away with its
 *   description. Where the file never said anything, comments of others stay. */
#pragma once

#include "publish/table.h"

bool dress_asked(const Node *node); /* whether the file asks for any of that */
/* In the caller's transaction, under the table's fence, after ledger_publish_in_txn() (what was given is noted in that
 * row). table: as it stands now, with its columns. A table, or a view, which has no indexes. Dropping an index waits
 * for readers at most a few seconds (55P03, to be tried again). Errors for columns and roles that are not there are
 * placed where the file names them. */
bool dress(Conn *conn, const Node *node, const Table *table, bool *ret_changed, Error *err);
