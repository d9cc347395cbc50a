/* Against: a project's files, compared with what a target was last built from, which its ledger knows.
 *
 * SQL is compared by its tokens, with that of the ephemeral models in it: comments and white space are no difference.
 * How else a table is made is compared as far as it is recorded. Of a table that others write there is no record: only
 * whether it is there. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "pg/conn.h"
#include "project/project.h"
#include "project/select.h"

typedef enum AgainstState {
    AGAINST_SAME,
    AGAINST_DIFFERS,
    AGAINST_NEW,       /* the project's files describe it, and the target does not have it */
    AGAINST_INLINE,    /* ephemeral: a difference is one of what reads it */
    AGAINST_EXTERNAL,  /* others write it, and it is there */
    AGAINST_LEFT_OVER, /* the other way round */
} AgainstState;

const char *against_state_name(AgainstState state); /* "same", "differs", "new", "inline", "of others", "left over" */

typedef struct AgainstNode {
    const Node *node; /* NULL: left over */
    const char *name, *schema, *table;
    AgainstState state;
    Strings differences;     /* in words: "SQL", "materialized: view there, table here" */
    const char *sql;         /* unified diff of the SQL, from there to here; NULL: the same, or it cannot be shown */
    const Node **downstream; /* of what differs: what reads it, directly or through others; by name */
    size_t downstream_count;
} AgainstNode;

typedef struct Against {
    bool ledger; /* the target has one: without, all is new */
    AgainstNode *nodes;
    size_t count;
} Against;

/* The selected nodes in the project's order, then what is left over. The project is read for the target that is asked.
 * One read-only transaction. Memory belongs to the arena. */
bool against_make(Conn *conn, const Project *project, const Selection *selection, Arena *arena, Against *ret,
                  Error *err);
