/* Work: a step under way, shared by what makes the rows of sources (source.c) and models (model.c). */
#pragma once

#include "build/step.h"
#include "ingest/load.h"
#include "publish/table.h"
#include "record/ledger.h"

typedef struct Work {
    Build *build;
    const Step *step;
    const Node *node;
    Arena *arena;
    StepResult *result;
    Table target;             /* as it stood when the table's lock was taken */
    LedgerRelation known;     /* what the ledger knew then */
    const char *definition;   /* to be recorded: hash of what the relation is made from */
    const char *content_hash; /* of a delivery, or NULL */
    int64_t total;            /* rows of the table after it, -1: not known */
} Work;

/* Inside the step's transaction: stage, check, publish. A failed check is an error (checks_error()), its results in
 * work->result->checks. */
bool work_source(Work *work, Error *err);
bool work_model(Work *work, Error *err);

/* Runs the node's checks on where its rows are staged; those of severity error that fail are an error. */
bool work_check(Work *work, const char *quoted, const char *filter, bool fresh_load, const Load *load, Error *err);
/* Key columns not null, and a primary key over them. */
bool work_add_key(Work *work, const Table *table, Error *err);
/* result's counts from a diff. */
void work_count(Work *work, int64_t inserted, int64_t updated, int64_t deleted);
