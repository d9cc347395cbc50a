/* Backfill run: the missing chunks of a backfill, several at a time, recorded as a run.
 *
 * A chunk that fails fails alone. What is done is done: the next call for the same goes on with what is missing. */
#pragma once

#include "build/backfill.h"
#include "run/run.h"

/* Told of every chunk as it ends, and before the first of them of what is to be done. One call at a time. */
typedef struct BackfillListener {
    void (*begun)(const Backfill *backfill, int64_t run_id, size_t threads, void *data);
    void (*chunk_begins)(const BackfillChunk *chunk, void *data);
    void (*chunk_left)(const BackfillChunk *chunk, void *data); /* begun, and not ended */
    void (*chunk_ended)(const BackfillChunk *chunk, const StepResult *result, void *data);
    void *data;
} BackfillListener;

typedef struct BackfillOptions {
    BackfillCall call;
    const char *command;  /* as recorded */
    bool wait;            /* for another run or backfill of the table, instead of ERROR_BUSY */
    const bool *accepted; /* see Build */
    size_t threads;       /* at most RUN_THREADS_MAX */
    BackfillListener listener;
} BackfillOptions;

/* False where it as a whole could not be done; *ret counts the chunks of this call, of which those are skipped that
 * another call does. Memory of *ret_backfill belongs to the arena. The private PostgreSQL is started if need be. */
bool backfill_run(const Project *project, const Node *node, const BackfillOptions *options, Arena *arena,
                  Backfill *ret_backfill, RunSummary *ret, Error *err);
