/* Plan: what a run would do now, and why. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "build/leftover.h"
#include "pg/conn.h"
#include "project/project.h"
#include "project/select.h"

typedef struct PlanStep {
    const Node *node;
    /* load, append, view, check, inline, fail, blocked (what it reads would fail); of tables that models make also
     * skip, range, from, full */
    const char *action;
    const char *touched; /* the times that would be loaded or recomputed, for people; "" where that says nothing */
    const char *why;     /* in the user's terms */
    Place place;         /* of the SQL that decides it; file NULL: none */
} PlanStep;

typedef struct Plan {
    PlanStep *steps;
    size_t step_count;
    Leftover *leftovers;
    size_t leftover_count;
} Plan;

typedef struct PlanOptions {
    bool due; /* what `run --due` would do */
    bool full_refresh;
} PlanOptions;

/* Reads the catalog, the ledger and changed files, in one transaction that is rolled back: a changed file is staged and
 * compared, to say what loading it would touch. Memory belongs to the arena. */
bool plan_make(Conn *conn, const Project *project, const Selection *selection, const PlanOptions *options, Arena *arena,
               Plan *ret, Error *err);
