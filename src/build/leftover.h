/* Leftover: relations of a project's that no file of it makes any more. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "pg/conn.h"
#include "project/project.h"

typedef struct Leftover {
    const char *schema, *table, *node, *materialized;
} Leftover;

/* By the ledger, which must be there, of the project's target; by schema and table. In the arena. */
bool leftover_find(Conn *conn, const Project *project, Arena *arena, Leftover **ret, size_t *ret_count, Error *err);
