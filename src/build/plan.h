/* Plan: what a run would do now, and why. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "pg/conn.h"
#include "project/project.h"
#include "project/select.h"

typedef struct PlanStep {
    const Node *node;
    const char *action; /* load, build, append, view, check, inline, skip */
    const char *why;    /* in the user's terms */
} PlanStep;

/* A relation of the project's that no file of it makes any more. */
typedef struct Leftover {
    const char *schema, *table, *node, *materialized;
} Leftover;

typedef struct Plan {
    PlanStep *steps;
    size_t step_count;
    Leftover *leftovers;
    size_t leftover_count;
} Plan;

/* Reads the catalog and the ledger, writes nothing. Memory belongs to the arena. due: what `run --due` would do. */
bool plan_make(Conn *conn, const Project *project, const Selection *selection, bool due, Arena *arena, Plan *ret,
               Error *err);
