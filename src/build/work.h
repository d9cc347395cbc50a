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
    bool key_stands;          /* the staged rows have a primary key over unique_key */
} Work;

/* Inside the step's transaction: stage, check, publish. A failed check is an error (checks_error()), its results in
 * work->result->checks. */
bool work_source(Work *work, Error *err);
bool work_model(Work *work, Error *err);
bool work_view(Work *work, Error *err); /* work_model() for views */

/* Runs the node's checks on where its rows are staged; those of severity error that fail are an error. */
bool work_check(Work *work, const char *quoted, const char *filter, bool fresh_load, const Load *load, Error *err);
/* A primary key over the unique_key of the staged rows, where they allow it: then work_check() need not look for
 * duplicates, which costs several times as much. Where they do not, it tells which rows are wrong. */
bool work_try_key(Work *work, const char *quoted, Error *err);
/* The primary key of a new table, unless it stands. */
bool work_add_key(Work *work, const Table *table, Error *err);
/* stage has the columns of the target, but for `ignored`; else the error says by which statements it would. */
bool work_same_columns(const Work *work, const Table *stage, const char *ignored, Error *err);
/* result's counts from a diff. */
void work_count(Work *work, int64_t inserted, int64_t updated, int64_t deleted);
