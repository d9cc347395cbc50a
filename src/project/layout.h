/* Layout: what stands around a table's rows: indexes, privileges, the descriptions of columns. */
#pragma once

#include "project/check.h"
#include "project/values.h"

enum {
    INDEXES_MAX = 64,       /* of a table */
    INDEX_COLUMNS_MAX = 32, /* PostgreSQL's INDEX_MAX_KEYS */
};

/* Takes indexes and grants of either kind of node into it. columns are those the node has, or count 0 where that is not
 * known. Every error is reported. */
void layout_read(Reading *reading, const Values *values, Strings columns, Node *node);

/* Takes a model's columns: their descriptions into the node, the checks they declare into *ret, in the scratch arena:
 * of value->node->count at most. */
void layout_read_columns(Reading *reading, const Value *value, Strings columns, Node *node, ColumnChecks *ret);
