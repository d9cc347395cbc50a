/* Upkeep: how a table is kept up to date: what tells that others changed it, how far back a model looks, what guards it
 * against losing rows, how long a step may take and how often it is tried. */
#pragma once

#include "project/values.h"

enum {
    RETRIES_DEFAULT = 3,
    RETRIES_MAX = 100,
    ROLLBACK_MAX = 100,
    GUARD_DEFAULT = 50, /* percent: of min_rows and max_shrink */
};

/* Take the keys that say so into the node, and report those that do not go together. columns are the source's own, or
 * count 0 where they are not known. */
void upkeep_read_source(Reading *reading, const Values *values, Strings columns, Node *node);
void upkeep_read_model(Reading *reading, const Values *values, Node *node);

/* Reports a model's key that is about the rows of a table, where the model has none; so does a history where it is in
 * the way. A folder's default is left out instead. False where the key does not hold. */
bool upkeep_has_rows(Reading *reading, const Value *value, const Node *node, bool history);
