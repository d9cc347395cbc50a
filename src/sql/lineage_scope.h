/* Lineage scope: names, and the columns and origins that they stand for. Private to lineage.c. */
#pragma once

#include <stdint.h>

#include "sql/lineage.h"

/* Numbers of origins, each once. */
typedef struct LineageSet {
    uint32_t *items;
    size_t count, room;
} LineageSet;

typedef struct LineageColumn {
    const char *name;
    LineageSet from;
} LineageColumn;

/* What stands under one name in FROM, or comes out of a query. */
typedef struct LineageRelation {
    const char *alias;  /* NULL: a join, whose columns alone count */
    const char *schema; /* of a table that is called by its own name */
    LineageColumn *columns;
    size_t count, room;
    LineageSet open;  /* tables whose columns are not known: any other name may be a column of theirs */
    bool any;         /* a function's result: any other name is one of its columns, */
    LineageSet every; /* and comes from these */
} LineageRelation;

typedef struct LineageCte {
    const char *name;
    const SqlNode *node;
    const struct LineageScope *defined_in; /* what it can see */
    enum { CTE_NEW, CTE_BUSY, CTE_DONE } state;
    bool recursive;
    LineageRelation result;
    struct LineageCte *before;
} LineageCte;

/* One level of names: the relations of a FROM, and the CTEs that can be seen. */
typedef struct LineageScope {
    const struct LineageScope *outer;
    LineageRelation *relations;
    size_t count, room;
    LineageCte *ctes; /* the last one; NULL: none of this level */
    SqlList windows;  /* of the WINDOW clause */
} LineageScope;

typedef struct Lineage {
    Arena *arena;
    const SqlLineageTables *tables;
    SqlOrigin *origins;
    size_t origin_count, origin_room;
    uint32_t *slots; /* hash of origins: number + 1 */
    size_t slot_count;
    bool *read;   /* per origin */
    bool reading; /* what is added now is what the query names */
    LineageSet filters;
    SqlMissing *missing;
    size_t missing_count, missing_room;
    size_t work;
    int depth;  /* of queries */
    int nested; /* of expressions and joins, through all of them: each is a call within a call */
    bool whole;
} Lineage;

enum { NESTED_MAX = 10000 };

/* All work is paid for. False, and the answer no longer whole, where it is too much. */
bool lineage_spend(Lineage *l, size_t amount);

uint32_t lineage_origin(Lineage *l, SqlOrigin origin); /* its number */
void lineage_add(Lineage *l, LineageSet *set, uint32_t number);
void lineage_unite(Lineage *l, LineageSet *set, const LineageSet *other);

LineageColumn *lineage_column(Lineage *l, LineageRelation *relation, const char *name); /* a new one, the last */
void lineage_copy_column(Lineage *l, LineageRelation *to, const LineageColumn *from);
/* From number `from` on; NULL where there is none. */
const LineageColumn *lineage_find_column(const LineageRelation *relation, const char *name, size_t from);

/* Each adds origins to out: of all columns; of those of a name, true where there is one; of a name that no known column
 * bears, true where it may be one that is not known. */
void lineage_add_all(Lineage *l, const LineageRelation *relation, LineageSet *out);
bool lineage_add_named(Lineage *l, const LineageRelation *relation, const char *name, LineageSet *out);
bool lineage_add_unknown(Lineage *l, const LineageRelation *relation, const char *name, LineageSet *out);
/* The innermost relation of that name; schema may be NULL. */
const LineageRelation *lineage_find_relation(Lineage *l, const LineageScope *scope, const char *schema,
                                             const char *alias);
void lineage_resolve(Lineage *l, const LineageScope *scope, const SqlNode *ref, LineageSet *out); /* a ColumnRef */
