/* Refs: which relations a query reads.
 *
 * A name is resolved as PostgreSQL does it (parse_relation.c, parse_cte.c): an unqualified name is a CTE where one of
 * that name is in scope, innermost first. In plain WITH a CTE is in scope for the CTEs after it and the statement the
 * WITH belongs to; in WITH RECURSIVE for all CTEs of that WITH, itself included. Qualified names are never CTEs.
 * References that are CTEs are left out; every other occurrence is kept, in the order of the text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "sql/parse.h"

typedef struct SqlRef {
    const char *catalog; /* or NULL */
    const char *schema;  /* or NULL */
    const char *name;    /* unquoted, folded to lower case and cut at 63 bytes where PostgreSQL does */
    size_t offset;       /* byte in the text where the written reference begins */
    size_t length;       /* bytes as written, with its qualifiers: `only (a . "B")` is `a . "B"` */
    int line;
    int column;
    /* In pg_catalog, information_schema or pg_toast; or unqualified and beginning with pg_, where PostgreSQL looks
     * into pg_catalog first (a relation of that name elsewhere is possible, and odd). */
    bool system;
    bool only;    /* FROM ONLY */
    bool sampled; /* TABLESAMPLE */
    bool aliased; /* another name stands in for it: `loans l` */
} SqlRef;

typedef struct SqlRefs {
    const SqlRef *items;
    size_t count;
} SqlRefs;

/* What the statements of the tree read; targets of INSERT, UPDATE and so on are not among it. In the arena. */
void sql_refs(Arena *arena, const SqlTree *tree, SqlRefs *ret);
