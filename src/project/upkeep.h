/* Upkeep: how a table is kept up to date: what tells that others changed it, how far back a model looks. */
#pragma once

#include "project/values.h"

/* Take the keys that say so into the node, and report those that do not go together. columns are the source's own, or
 * count 0 where they are not known. */
void upkeep_read_source(Reading *reading, const Values *values, Strings columns, Node *node);
void upkeep_read_model(Reading *reading, const Values *values, Node *node);
