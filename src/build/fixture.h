/* Fixture: a model on given rows, against the rows that a test expects.
 *
 * Nothing of the database is read but its functions and types: every table in the model's text, and in those of the
 * models between, is replaced where it stands by a WITH query of the given rows, and now() and its like by the test's
 * time. All of it is one statement in a transaction that only reads and is rolled back.
 *
 * Given values are of the types that a source declares, the test's `columns:` says, or a given model's own query gives;
 * where none of that tells, a value without quotes that reads as a number, a boolean, a date or a timestamp is one.
 * Expected values are of the types of the model's columns, and equal by those types' own rules: 0.5 is 0.50 for
 * numeric. Types that have no equality (json) are compared as text. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "pg/conn.h"
#include "project/test_file.h"

enum { FIXTURE_SHOWN_MAX = 50 }; /* rows of a difference that are kept */

typedef struct FixtureRow {
    bool got; /* else: expected, and not there */
    const char **values;
} FixtureRow;

typedef struct FixtureResult {
    bool passed;
    Strings columns;  /* compared */
    FixtureRow *rows; /* that differ */
    size_t count;
    bool more; /* than are kept */
} FixtureResult;

/* Everything in *ret is in the arena. An error of the server's stands at its place in the model's or the test's file.
 */
bool fixture_run(Conn *conn, const Project *project, const Test *test, Arena *arena, FixtureResult *ret, Error *err);
