/* Test file: tests/NAME.yaml, models on given rows against expected rows.
 *
 *     no ratio without defaults:            # the test's name
 *       model: ratios
 *       now: 2026-01-31 06:00               # what now() and its like give; without it, the time it is
 *       given:
 *         loans:                            # a source, a model, or a table as SQL names it
 *           - {day: 2026-01-01, defaults: 0}
 *         rates: {columns: {rate: numeric}, rows: [{rate: 1.5}]}
 *       expect:
 *         - {day: 2026-01-01, ratio: null}
 *
 * A model that the tested one reads and that is not given stands for its own query. All memory is the project's. */
#pragma once

#include "project/project.h"

enum {
    TEST_ROWS_MAX = 10000, /* of one table of one test */
    TEST_COLUMNS_MAX = 1000,
};

typedef struct TestValue {
    const char *text; /* NULL: null */
    bool quoted;      /* a text for sure; else it may be a number, a date ... */
    Place place;      /* line 0: not said, which is null */
} TestValue;

typedef struct TestRows {
    Strings columns;   /* all that any row names, in the order they come */
    Place *places;     /* of each column: where it is named first */
    TestValue **items; /* per row, a value per column */
    size_t count;
} TestRows;

typedef struct TestTable {
    const char *name; /* as written */
    Place place;
    const char *schema, *table;
    const Node *node; /* NULL: a table that the project does not know */
    TestRows rows;
    const char **types; /* per column of rows: as `columns:` says, or as the source declares; NULL where nothing does */
} TestTable;

typedef struct Test {
    const char *name, *description; /* description may be NULL */
    Place place;
    const Node *model;
    const char *now; /* or NULL */
    Place now_place;
    TestTable *given;
    size_t given_count;
    TestRows expect;       /* every row names every column */
    const Node **expanded; /* models that stand for their own queries, in the project's order; then the model itself */
    size_t expanded_count;
    bool broken; /* an error of it was reported: it cannot be run, and all but its name and place may be missing */
} Test;

typedef struct Tests {
    Test *items; /* by file, in the order they stand in it */
    size_t count;
} Tests;

/* Reads every file below tests/. False where any error was added to errors. */
bool tests_read(Project *project, Errors *errors, Tests *ret);
/* The given table that a reference of a model means, or NULL. */
const TestTable *test_given(const Test *test, const Project *project, const Reference *reference);
