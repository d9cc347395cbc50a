/* Verify: a model's table against its query, run from scratch; a table against the same one of another target.
 *
 * Nothing is written. Table and query are read in one snapshot, so a table that is being built meanwhile is fine. */
#pragma once

#include "build/compare.h"

/* What was compared, and what could not be. */
typedef struct Verdict {
    const CompareColumn *columns; /* compared, in the order of side 0 */
    size_t column_count;
    Strings missing[2];   /* columns that one side lacks: a difference */
    const char **retyped; /* `a: integer, now bigint`: columns of another type; a difference */
    size_t retyped_count;
    Comparison comparison; /* of the columns that both have */
    const char *note;      /* or NULL: what else is to be known */
} Verdict;

bool verdict_equal(const Verdict *verdict);

/* Whether a node can be verified: a model that is a table, kept equal to its query. Else *ret_why gets a word. */
bool verify_applies(const Node *node, const char **ret_why);
/* Side 0 is the table, side 1 the query. Columns of the table's own (generated ones, those that others added) are left
 * out. A transaction of its own. Everything in *ret is in the arena. */
bool verify_node(Conn *conn, const Project *project, const Node *node, size_t limit, Arena *arena, Verdict *ret,
                 Error *err);

/* One node's relation in two targets: side 0 is the first. A transaction of its own on each. */
typedef struct VerifyTarget {
    Conn *conn;
    const Project *project;
    const Node *node; /* of that project */
} VerifyTarget;
bool verify_targets(const VerifyTarget targets[2], size_t limit, Arena *arena, Verdict *ret, Error *err);
