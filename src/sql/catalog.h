/* Catalog: what a server would know of the names in a query, as plain data.
 *
 * Filled by others (build/survey, tests); nothing here asks a server. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sql/parse.h"

typedef enum SqlTimeType {
    SQL_TIME_NONE,
    SQL_TIME_DATE,
    SQL_TIME_TIMESTAMP,
    SQL_TIME_TIMESTAMPTZ,
    SQL_TIME_INTEGER, /* smallint, integer, bigint */
} SqlTimeType;

SqlTimeType sql_time_type(const char *type); /* as format_type() writes it: "timestamp(3) with time zone" */

typedef struct SqlColumnFacts {
    const char *name;
    const char *type; /* as format_type() writes it; NULL: not known */
} SqlColumnFacts;

typedef enum SqlRelationKind {
    SQL_RELATION_TABLE, /* rows of its own, ordinary or partitioned, and its changes are recorded (or said unknown) */
    SQL_RELATION_QUERY, /* a view or ephemeral model of the project: stands for its query */
    SQL_RELATION_OTHER, /* a view of others', a foreign table, not there: nothing is known of its changes */
} SqlRelationKind;

typedef struct SqlRelationFacts {
    const char *schema; /* as resolved */
    const char *name;
    const char *label; /* as the user calls it: the node's name; or NULL */
    SqlRelationKind kind;
    const SqlColumnFacts *columns; /* count 0: not known */
    size_t column_count;
    const char *time_column; /* SQL_RELATION_TABLE: the column that dates a row; NULL: none */
    SqlTimeType time_type;   /* of it */
    const SqlTree *query;    /* SQL_RELATION_QUERY */
    const char *file;        /* of query's text, for places */
    int lines_before;        /* lines of the file before it */
    const char *other;       /* SQL_RELATION_OTHER: what it is, for people: "a view", "a foreign table" */
} SqlRelationFacts;

typedef struct SqlFunctionFacts {
    const char *name; /* one row per name, over all its overloads within reach of the search path: */
    char volatility;  /* the worst of them: i, s or v */
    bool aggregate;   /* all of them are aggregates */
    bool window;      /* all of them are window functions */
    bool user;        /* at least one is not of pg_catalog */
    /* Those that are not of pg_catalog are all immutable, plain functions in SQL, PL/pgSQL or C. */
    bool user_immutable;
} SqlFunctionFacts;

typedef struct SqlCatalog {
    const char *schema; /* where unqualified names live; pg_catalog goes before it */
    const SqlRelationFacts *relations;
    size_t relation_count;
    const SqlFunctionFacts *functions; /* every name that the queries call and the server knows */
    size_t function_count;
    /* Operators and types that are not of pg_catalog but within reach: a query that uses one is recomputed in full. */
    const char *const *user_operators;
    size_t user_operator_count;
    const char *const *user_types; /* those of tables' rows too; enums, whose input cannot do harm, left out */
    size_t user_type_count;
    /* NULL, or a cast that was made here and may give another result each time: "integer to date". */
    const char *user_cast;
} SqlCatalog;

/* schema NULL: unqualified. NULL where there is none. */
const SqlRelationFacts *sql_catalog_relation(const SqlCatalog *catalog, const char *schema, const char *name);
const char *sql_relation_label(const SqlRelationFacts *relation); /* its name, where it has no label */
const SqlFunctionFacts *sql_catalog_function(const SqlCatalog *catalog, const char *name);
