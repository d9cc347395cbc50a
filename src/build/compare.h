/* Compare: two relations as multisets of rows, in flat memory whatever their size.
 *
 * Each side is a table or a model's query, on one connection or on two, inside the caller's transactions. Rows are
 * compared by the text of their columns under the pinned settings of conn_begin(), so 1.0 and 1.00 differ, and types
 * without equality compare too.
 *
 * First each server sums up its side in buckets: rows are dealt out by a hash of their columns that are no floating
 * point, and a bucket is known by its count and two sums over 128 bits of a hash: of md5, which is the same in every
 * version, and on one server of its own, which is many times faster. Most often nothing differs, and that is one scan
 * of each side. Then only the rows of buckets that differ are read, through two cursors in one order, and merged. Rows
 * whose floating point columns alone differ, by no more than COMPARE_DOUBLE (COMPARE_REAL for real, which has only 24
 * bits) of the larger, are paired one to one in that order and counted apart. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "pg/conn.h"
#include "project/project.h"

#define COMPARE_DOUBLE 1e-9
#define COMPARE_REAL   1e-6

enum {
    COMPARE_SHOWN_MAX = 1000, /* rows kept to be shown, of each kind */
    COMPARE_VALUE_MAX = 1000, /* characters of a value that are kept to be shown; ordering and counts know all of it */
};

typedef enum CompareFloat { COMPARE_EXACT, COMPARE_AS_DOUBLE, COMPARE_AS_REAL } CompareFloat;

typedef struct CompareColumn {
    const char *name;
    CompareFloat kind;
    bool key; /* rows are shown in the order of these columns; of all where there are none */
} CompareColumn;

CompareFloat compare_float(const char *type); /* by a type's name as format_type() writes it */

typedef struct CompareSide {
    Conn *conn;
    const Project *project;
    const Node *query;  /* the model's query; NULL: */
    const char *quoted; /* the table */
} CompareSide;

typedef struct CompareRow {
    int side;            /* 0 or 1: where it is */
    const char **values; /* per column; NULL for null */
} CompareRow;

typedef struct Comparison {
    int64_t rows[2];         /* of each side */
    int64_t only[2];         /* rows of a side that have none like them on the other */
    int64_t close;           /* pairs that differ in floating point alone */
    const CompareRow *shown; /* of the rows in `only`, the first in key order, those of side 0 first in each key */
    size_t shown_count;
    const CompareRow *close_shown; /* side 0 and side 1 of each pair, one after the other */
    size_t close_count;            /* rows, two a pair */
    bool unsteady; /* the sums differed, the rows read after that did not: a query that gives other rows each time */
} Comparison;

/* With no column there is nothing to compare, and no row is counted. limit: rows to keep of each kind, at most
 * COMPARE_SHOWN_MAX. Everything in *ret is in the arena. Needs transactions that see one snapshot throughout; writes
 * nothing. */
bool compare_run(const CompareSide sides[2], const CompareColumn *columns, size_t count, size_t limit, Arena *arena,
                 Comparison *ret, Error *err);
bool compare_equal(const Comparison *comparison); /* but for floating point */
