/* Backfill: a range of an incremental model's times recomputed whatever changed, in chunks.
 *
 * A chunk is a step: one transaction that computes, checks and publishes its times, and says in it that it is done. So
 * chunks may be done in any order, beside each other, and by several calls: one that was killed is gone on with by the
 * next call for the same range in the same chunks, as long as the model's step key is the same. What the ledger knows
 * of the table (key, snapshot) stays, so what is pending for it stays pending: nothing is lost, some is computed twice.
 */
#pragma once

#include "build/decide.h"
#include "build/step.h"

enum {
    BACKFILL_CHUNKS = 50, /* at most so many where the caller does not say how long they are */
    BACKFILL_CHUNKS_MAX = 10000,
};

typedef struct BackfillChunk {
    const struct Backfill *backfill;
    int nth;               /* from 1 */
    const char *from, *to; /* [from, to), as the server writes them in the project's time zone */
    Range range;           /* the same */
    bool done;
    int64_t done_by; /* run; 0: not known */
} BackfillChunk;

typedef struct BackfillRead {
    const char *label; /* of a table that the query reads, as the user calls it */
    const char *times; /* that it needs for all of the range, for people */
} BackfillRead;

typedef struct Backfill {
    const Node *node;
    const char *from, *to; /* [from, to), as the server writes them */
    const char *time_column;
    const char *length; /* of a chunk, for people: "8 days"; of integers a number */
    const char *step_key;
    BackfillChunk *chunks;
    size_t count, done;
    const Check *alone; /* one that looks at the whole table, so that there may be but one chunk at a time; or NULL */
    int64_t done_by;    /* the last run that did one of those; 0: none, or not known */
    BackfillRead *reads;
    size_t read_count;
    int64_t id;          /* in the ledger; 0: not begun yet */
    int64_t rows_before; /* of the table when it was begun */
} Backfill;

typedef struct BackfillCall {
    const char *from, *to; /* as given */
    const char *length;    /* of a chunk: a duration, or a number where time is an integer; NULL: to be chosen */
} BackfillCall;

/* Whether a range of the model can be recomputed, in which chunks, and which of them an earlier call has done. In a
 * transaction of its own that only reads. ERROR_PROJECT where the call is wrong, or no part of the model can be
 * computed by itself; ERROR_FAILED where the table is not fit for it as it stands. Memory belongs to the arena. */
bool backfill_plan(Conn *conn, const Project *project, const Node *node, const BackfillCall *call, Arena *arena,
                   Backfill *ret, Error *err);
/* Begins it, or finds the one that it goes on with: id and what is done are set. Under the table's lock alone, so that
 * no chunk of a call that was killed is still at work. */
bool backfill_begin(const Build *build, Backfill *backfill, Error *err);
/* Where no chunk is missing: ends it. */
bool backfill_end(Conn *conn, const Backfill *backfill, Error *err);

/* Whether a range of the node can be recomputed, as the survey knows it; in the terms of backfill_plan(). */
bool backfill_possible(const Survey *survey, const Node *node, const Decided *decided, Error *err);
