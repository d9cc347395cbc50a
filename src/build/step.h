/* Step: one node brought up to date, in one transaction.
 *
 * The transaction takes the table's lock, stages the new rows, checks them, publishes them and writes the record; it
 * commits all of that or nothing. The step's row in the ledger is begun before, so that others see it running. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "pg/conn.h"
#include "project/project.h"
#include "publish/check.h"
#include "record/ledger.h"

/* What the steps of a run share. */
typedef struct Build {
    Conn *conn;
    const Project *project;
    int64_t run_id;
    Instant started_at;   /* the run's timestamp: created_at of history */
    bool wait;            /* for a table that another run is building, instead of ERROR_BUSY */
    bool due;             /* by schedule: not done again where another run has done the tick meanwhile */
    bool by_hand;         /* a load that no file of the project asks for */
    bool full_refresh;    /* every row is computed anew */
    const bool *accepted; /* by order: results that would lose a large share of their table are taken; NULL: none */
    const struct Survey *survey; /* taken when the run began, of all its models; NULL: none was */
} Build;

typedef struct Step {
    const Node *node;
    int64_t step_id;
    bool has_tick;
    Instant tick;
    const char *logical_run;
    const struct BackfillChunk *chunk; /* of a backfill, that it does; NULL: the node as a whole */
    bool again;           /* after a lost connection: an earlier statement, or COMMIT, may have taken place */
    int retried;          /* how often it was begun anew, to be recorded */
    bool may_retry;       /* it will be, where it fails for a reason that may pass */
    const char *given_up; /* after a lost connection: nothing is done any more than to look whether the COMMIT took
                             place; where it did not the step failed, for this reason. NULL: as ever */
    int64_t deadline;     /* clock_monotonic() when its timeout is up; 0: it has none */
} Step;

typedef enum StepOutcome {
    STEP_OK,
    STEP_UNCHANGED, /* done, and nothing differed */
    STEP_FAILED,
    STEP_BLOCKED, /* something it reads failed */
    STEP_SKIPPED, /* another run builds the table, or has done this tick */
} StepOutcome;

typedef struct StepResult {
    StepOutcome outcome;
    const char *reason; /* in the arena, or NULL */
    int64_t total;      /* rows that the step made or read; -1: does not apply */
    int64_t inserted, updated, deleted;
    const char *decision; /* of models: skip, range, from, full; else NULL */
    const char *touched;  /* the times that were recomputed, for people; or NULL */
    CheckResults checks;
    bool busy;    /* skipped because another run holds the table */
    bool passing; /* failed for a reason that may pass, and nothing was recorded */
    Error failure;
    int64_t microseconds;
} StepResult;

const char *step_unchanged_reason(const Node *node); /* of a node for which there is nothing to do */

/* The ledger's row of a step is begun; step->step_id is set. Of one that may have been begun before the connection was
 * lost: found, or begun once more where the server does not have the row. */
bool step_begin(Build *build, Step *step, Error *err);
/* Runs it and records the outcome. False where that could not be: the connection was lost, the program is to stop, or
 * the ledger cannot be written; or the step may be tried again, and failed for a reason that may pass (a deadlock, a
 * row that changed meanwhile, a lock or a connection that was not to be had), which *ret says. Everything else is in
 * *ret, also failures. *ret is initialised by the caller, and its failure is the caller's to clear; strings belong to
 * the arena. */
bool step_run(Build *build, const Step *step, Arena *arena, StepResult *ret, Error *err);
/* The step as the ledger has it. */
LedgerStep step_ledger(const Build *build, const Step *step);
/* Records a step that never ran: blocked, skipped. */
bool step_record_unrun(Build *build, const Step *step, const StepResult *result, Error *err);
