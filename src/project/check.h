/* Check: reading the `checks:` of a source or model. */
#pragma once

#include "project/values.h"

/* The checks that a model's columns declare, each list with the column it is about. */
typedef struct ColumnCheckList {
    const char *column;
    const char *file;
    const YamlNode *list;
} ColumnCheckList;

typedef struct ColumnChecks {
    ColumnCheckList *items;
    size_t count;
} ColumnChecks;

/* Reads the list into node, and after it those of columns (NULL: none), in which `not_null` and `unique` may be words
 * alone and no check names its column: {accepted_values: [a, b]}. columns are those the node has, or count 0 where that
 * is not known: then names are not checked. Every error is reported. Names of checks are given or derived, and unique
 * within the node. */
void checks_read(Reading *reading, const Value *checks, const ColumnChecks *of_columns, Strings columns, Node *node);

/* Reports each of a value's names that is no column. Nothing where columns are not known (count 0). */
void columns_check(Reading *reading, const Value *names, Strings columns, const Node *node);
void column_check(Reading *reading, const char *name, Place place, Strings columns, const Node *node);
/* Reports a column that dates rows (what: 'time_column', 'freshness') and whose declared type, where it is one that we
 * know, is no date, timestamp, timestamptz or, where integers may be, integer. */
void column_check_time(Reading *reading, const char *what, const char *name, Place place, bool integers,
                       const Node *node);
bool column_is_system(const char *name); /* ctid, xmin ...: every table has it */
