/* Lineage: which columns of which tables each output column of a query comes from.
 *
 * A pure function of the tree and of what columns the tables are known to have. Columns are traced by PostgreSQL's name
 * rules through CTEs, subqueries, joins, stars, aggregates, windows and set operations. An output column's origins are
 * all columns that its expression names, in FILTER, ORDER BY and WITHIN GROUP of aggregates and in the windows of its
 * calls too. What decides which rows there are (WHERE, ON, USING, GROUP BY, HAVING, DISTINCT ON, ORDER BY with LIMIT,
 * the right side of EXCEPT) is told apart, as filters of the query as a whole. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "sql/parse.h"

enum {
    LINEAGE_WORK_MAX = 500000, /* nodes looked at and origins copied; what is beyond is not known */
    LINEAGE_DEPTH_MAX = 100,   /* of queries within queries */
    LINEAGE_MISSING_MAX = 2000,
};

typedef struct SqlOrigin {
    const char *schema; /* as written, or NULL */
    const char *table;
    const char *column; /* NULL: all of its columns, and these are not known */
} SqlOrigin;

typedef struct SqlOrigins {
    const SqlOrigin *items; /* each once, in the order they come up */
    size_t count;
} SqlOrigins;

typedef struct SqlLineageColumn {
    const char *name;
    SqlOrigins from;
} SqlLineageColumn;

/* A name that no column which is known bears: there is none, or it is one of a table whose columns are not known. */
typedef struct SqlMissing {
    const char *table; /* as it is called in the query, or NULL: the name stands alone */
    const char *column;
    SqlOrigins tables; /* whose columns are not known, and which may have it (column is NULL); count 0: nothing has */
    const char *near;  /* the name in reach that is nearest, or NULL */
    size_t offset;     /* of it in the text, in bytes */
} SqlMissing;

typedef struct SqlLineage {
    const SqlLineageColumn *columns; /* of the output, in order */
    size_t count;
    SqlOrigins stars; /* tables whose columns are not known and come out by a star: column is NULL */
    SqlOrigins filters;
    SqlOrigins reads;          /* all that the query names, wherever */
    const SqlMissing *missing; /* more than once where a recursive CTE is read again; at most LINEAGE_MISSING_MAX */
    size_t missing_count;
    bool whole; /* nothing was left out for want of work or depth */
} SqlLineage;

/* The columns of a table: false where they are not known. */
typedef struct SqlLineageTables {
    bool (*columns)(const char *schema, const char *table, const char *const **ret, size_t *ret_count, void *data);
    void *data;
} SqlLineageTables;

/* Of the tree's first statement. Everything is in the arena; strings may be the tree's or the tables'. */
void sql_lineage(Arena *arena, const SqlTree *tree, const SqlLineageTables *tables, SqlLineage *ret);
