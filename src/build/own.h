/* Own: which relations are the program's to write. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "pg/conn.h"
#include "project/project.h"
#include "publish/table.h"
#include "record/ledger.h"

/* Whether the program may write the node's relation as it stands (target) and as the ledger knows it: it is not there
 * yet, or it is this project's own and of the kind that the node makes. */
bool own_check(const Project *project, const Node *node, const Table *target, const LedgerRelation *known, Error *err);
/* Makes the relation that stands under a node's name the project's own. It must be there and be of the kind that the
 * node makes. It may be another project's, which then loses it: *ret_from gets that project's name (in the arena), or
 * NULL. *ret_kind: "table", "view". */
bool own_adopt(Conn *conn, const Project *project, const Node *node, Arena *arena, const char **ret_kind,
               const char **ret_from, Error *err);
/* Drops a relation that the project owns, by the name of its node or its own, and forgets it. What depends on it is
 * an error that names it. ret_what gets `table "s"."t"`. */
bool own_drop(Conn *conn, const Project *project, const char *name, Text *ret_what, Error *err);
