/* Fixture text: the statement of a test, with its given rows and the models between, and the way back from the
 * server's error position to what the user wrote. Private to fixture.c. */
#pragma once

#include "build/fixture.h"

/* What of the statement was written by the user: a piece of a model, or a value of the test. */
typedef struct FixtureSpan {
    size_t start, length; /* bytes of the statement */
    const Node *node;     /* a piece of its SQL, from offset on; NULL: */
    size_t offset;
    Place place; /* a value's */
} FixtureSpan;

typedef struct FixtureColumn {
    const char *name, *type; /* as pg_typeof() gives it */
} FixtureColumn;

typedef struct FixtureColumns {
    FixtureColumn *items;
    size_t count;
} FixtureColumns;

typedef struct FixtureText {
    Conn *conn;
    const Project *project;
    const Test *test;
    Arena *arena;
    Text out;
    FixtureSpan *spans;
    size_t span_count, span_room;
    size_t ctes;
    FixtureColumns *given; /* per given table: columns and types, where its model's query tells; count 0 where not */
} FixtureText;

void fixture_text_clear(FixtureText *f);
/* `with "sluice_given_0" (...) as (...), ... "sluice_model_7" as (...)`: given tables by number, models by their order.
 */
bool fixture_append_with(FixtureText *f, Error *err);
/* `cast('...' as TYPE)`; text NULL is null; type is SQL, checked or the server's own. */
bool fixture_append_value(FixtureText *f, const char *text, Place place, const char *type, Error *err);
/* Places an error of the server's, where it named a position in what the user wrote. Returns false. */
bool fixture_place_error(const FixtureText *f, Error *err);
int fixture_find_name(const Strings *names, const char *name); /* -1 where there is none */
