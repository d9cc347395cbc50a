/* Check: what must be true of rows, asked where they are staged or where they stand.
 *
 * Results are gathered in memory first, since a step that fails is rolled back before it is recorded. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "pg/conn.h"
#include "project/project.h"

enum {
    CHECK_ROWS_KEPT = 100,       /* failing rows kept per check */
    CHECK_ROW_BYTES = 16 * 1024, /* of one row as JSON; longer ones are cut, and say so */
};

typedef struct FailedRow {
    const char *json;
    int64_t record; /* of a fresh load: the how manieth record of the file; else 0 */
    int64_t line;   /* of the file, filled in by the loader; 0: unknown */
} FailedRow;

typedef struct CheckResult {
    const Check *check; /* freshness: a copy, with the severity that holds for what was found */
    const char *kind;
    int64_t failed_rows; /* 0: the check holds */
    const char *detail;  /* row_count, freshness: what was found; else NULL */
    FailedRow *rows;     /* at most CHECK_ROWS_KEPT */
    size_t row_count;
} CheckResult;

typedef struct CheckResults {
    CheckResult *items; /* one per check, in the order declared */
    size_t count;
    size_t failed;   /* severity error */
    size_t warnings; /* severity warn */
} CheckResults;

typedef struct CheckTarget {
    const char *quoted; /* relation */
    const char *filter; /* SQL condition that picks the rows to judge, or NULL: all */
    bool fresh_load;    /* rows stand in the order of the file: note which record each was */
    const Strings *key; /* columns of a primary key that stands over these rows, or NULL */
    const Node *node;   /* whose rows they are */
    Instant now;        /* the run's clock, for freshness; 0: the server's */
    const char *beside; /* relation whose rows stay beside them (upsert, append), or NULL */
} CheckTarget;

/* Runs checks inside the caller's transaction: those that look at one row at a time in one scan. False only where a
 * check cannot be run at all (its SQL is wrong, the connection was lost): the error is placed where the check is
 * declared. Memory belongs to the arena. */
bool checks_run(Conn *conn, const CheckTarget *target, const Check *checks, size_t count, Arena *arena,
                CheckResults *ret, Error *err);
/* Writes results and failing rows to the ledger. step_id 0: of no step (`sluice check`). */
bool checks_record(Conn *conn, const CheckResults *results, int64_t run_id, int64_t step_id, const char *schema,
                   const char *table, Error *err);
/* One error for all that failed with severity error; true where none did. Placed at the first failing row of the file
 * that was loaded, where that is known (file may be NULL), else at the first one's declaration. */
bool checks_error(const CheckResults *results, const char *schema, const char *table, const char *file, Error *err);

/* The checks of a node, with one for its unique_key before them (not null, and unique). In the arena. */
Check *checks_of(const Node *node, Arena *arena, size_t *ret_count);
