/* Check: reading the `checks:` of a source or model. */
#pragma once

#include "project/values.h"

/* Reads the list into node. columns are those the node has, or count 0 where that is not known: then names are not
 * checked. Every error is reported. Names of checks are given or derived, and unique within the node. */
void checks_read(Reading *reading, const Value *checks, Strings columns, Node *node);

/* Reports each of a value's names that is no column. Nothing where columns are not known (count 0). */
void columns_check(Reading *reading, const Value *names, Strings columns, const Node *node);
void column_check(Reading *reading, const char *name, Place place, Strings columns, const Node *node);
