/* Own: which relations are the program's to write. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "pg/conn.h"
#include "project/project.h"

/* Makes the relation that stands under a node's name the project's own. It must be there, be of the kind that the node
 * makes, and be nobody's yet. ret_kind: "table", "view". */
bool own_adopt(Conn *conn, const Project *project, const Node *node, const char **ret_kind, Error *err);
/* Drops a relation that the project owns, by the name of its node or its own, and forgets it. What depends on it is
 * an error that names it. ret_what gets `table "s"."t"`. */
bool own_drop(Conn *conn, const Project *project, const char *name, Text *ret_what, Error *err);
