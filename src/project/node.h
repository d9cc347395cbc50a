/* Node: what sources and models have in common. Private to this room; the struct is project.h's. */
#pragma once

#include "project/values.h"

/* A new node for a file, with the defaults of everything but what its file says. NULL, with the error reported, where
 * the file's name is no name, or another file's already. */
Node *node_add(Reading *reading, NodeKind kind, const char *path, const char *ending);

/* description, owner, tags, schema, table, schedule and timezone, of either kind. */
void node_read_common(Reading *reading, const Values *values, Node *node);

/* Names of the columns, where the files tell; count 0 where they do not. */
Strings node_columns(const Node *node, Arena *arena);
