/* Work: a step under way, shared by what makes the rows of sources (source.c) and models (model.c). */
#pragma once

#include "build/decide.h"
#include "build/step.h"
#include "ingest/load.h"
#include "publish/diff.h"
#include "publish/table.h"
#include "record/change.h"
#include "record/ledger.h"

typedef struct Work {
    Build *build;
    const Step *step;
    const Node *node;
    Arena *arena;
    StepResult *result;
    Table target;                 /* as it stood when the table's lock was taken */
    LedgerRelation known;         /* what the ledger knew then */
    const char *definition;       /* to be recorded: hash of what the relation is made from */
    const char *content_hash;     /* of a delivery, or NULL */
    int64_t content_size;         /* of its file, where there is a hash */
    int64_t total;                /* rows of the table after it, -1: not known */
    bool key_stands;              /* the staged rows have a primary key over unique_key */
    Survey survey;                /* models: what is known of what it reads */
    Decided decided;              /* models: what is recomputed, and why; kind FULL for sources */
    ChangeEntry touched;          /* what is to be recorded as touched; schema NULL: nothing */
    int64_t delivery_rows;        /* sources: of a delivery that was accepted, -1: none */
    const char *made_time_column; /* what dates the rows of a table that is new */
    const char *whole;      /* while checks run: FROM item with all rows that the table will hold, where the staged
                               ones are but a part of them; or NULL */
    int64_t lost_before;    /* of a chunk: rows that the ones before it took from the table, on balance */
    bool stays;             /* nothing was computed: a table that was taken back stays so */
    bool altered;           /* the table was given other columns */
    const char *alteration; /* by this statement; else NULL */
    bool dry;               /* up to where the table would be written, and no further */
    bool only_restless;     /* while checks run: none but those that may fail though no row changed */
} Work;

/* Inside the step's transaction: stage, check, publish. A failed check is an error (checks_error()), its results in
 * work->result->checks. */
bool work_source(Work *work, Error *err);
bool work_model(Work *work, Error *err);
bool work_view(Work *work, Error *err); /* work_model() for views */

/* What the server and the ledger know of the node and of what it reads, in the step's snapshot. */
bool work_survey(Work *work, Error *err);

/* Runs the node's checks on where its rows are staged; those of severity error that fail are an error. */
bool work_check(Work *work, const char *quoted, const char *filter, bool fresh_load, const Load *load, Error *err);
/* Of rows that are a part of the table, by time: whether the check can only be told from all of them. */
bool work_needs_whole(const char *time_column, const Check *check);
/* A primary key over the unique_key of the staged rows, where they allow it: then work_check() need not look for
 * duplicates, which costs several times as much. Where they do not, it tells which rows are wrong. */
bool work_try_key(Work *work, const char *quoted, Error *err);
/* The primary key of a new table, unless it stands. */
bool work_add_key(Work *work, const Table *table, Error *err);
/* stage has the columns of the target, but for `ignored`, or the target is given them as on_schema_change says; else
 * the error says by which statements it would. */
bool work_fit_columns(Work *work, Table *stage, const char *ignored, Error *err);
/* Notes what dates the rows of a new table, and gives it an index on that, unless it has one, where it is a source's or
 * is recomputed by time. */
bool work_date_rows(Work *work, Error *err);
/* result's counts from a diff. */
void work_count(Work *work, int64_t inserted, int64_t updated, int64_t deleted);
/* Of a table that is new, or whose change cannot be told more narrowly. */
void work_touch_everything(Work *work);
/* Where the node asks for it: what diff is about to change is kept, to be taken back. */
bool work_keep(Work *work, const Diff *diff, Error *err);
/* Between finding and writing: the guards, and rows kept to be taken back. Then the rows are written, counted, and what
 * they touch is noted. */
bool work_write(Work *work, Diff *diff, Error *err);

/* What dates a row of the node's table, as it is recorded: in *ret_type SQL_TIME_NONE and NULL where nothing does. */
const char *work_time_column(const Work *work, SqlTimeType *ret_type);
