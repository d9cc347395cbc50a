/* Ledger: schema `sluice` in the target database, the record of all that the program does there.
 *
 * docs/ledger.md describes its tables as a public interface. Several projects and schemas share one ledger. Installed
 * and migrated by ledger_open(); commands that only read use ledger_exists(). Kept for 90 days; what a table is
 * (sluice.relations) is kept for as long as the table.
 *
 * Functions named *_in_txn run inside the caller's transaction; all others are transactions of their own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "pg/conn.h"
#include "pg/rows.h"

enum { LEDGER_VERSION = 2, LEDGER_DAYS = 90 };

/* Installs the ledger or migrates it. A ledger newer than this program is an error. */
bool ledger_open(Conn *conn, Error *err);
/* One that is older than this program, and so cannot be read by it, is an error. */
bool ledger_exists(Conn *conn, bool *ret_exists, Error *err);
/* Until the transaction ends nobody else changes what is in schema sluice besides rows. */
bool ledger_lock_in_txn(Conn *conn, Error *err);
/* Removes runs, with their steps, loads, checks and failed rows, that began over LEDGER_DAYS ago. Bounded per call. */
bool ledger_prune(Conn *conn, Error *err);

typedef struct LedgerRun {
    const char *project, *target, *command;
    Instant started_at;
} LedgerRun;

bool ledger_run_begin(Conn *conn, const LedgerRun *run, int64_t *ret_run_id, Error *err);
/* outcome: ok, failed, busy, cancelled. failure may be NULL. */
bool ledger_run_end(Conn *conn, int64_t run_id, const char *outcome, const Error *failure, Error *err);

/* What the ledger knows of one table. All strings belong to the arena. */
typedef struct LedgerRelation {
    bool known; /* a row is there: the table is ours */
    const char *project, *node, *kind, *materialized, *definition, *content_hash;
    bool has_tick, has_start;
    Instant last_tick;    /* the latest that was finished, well or not: a failed tick is not tried every minute */
    Instant last_start;   /* of the run that published last */
    int64_t content_size; /* of the file whose hash is content_hash, -1: not known */
    int64_t total;        /* rows, -1: not known */
    /* What the rows were computed by and from, for record/change; NULL: not known, so anything may have changed. */
    const char *step_key, *snapshot, *system_identifier;
    const char *time_column; /* or NULL */
    const char *declared;    /* hash of what is declared besides the rows, or NULL */
    int64_t delivery_rows;   /* of the last delivery that was accepted, -1: not known */
    bool taken_back;         /* the last publish was taken back: content_hash, step_key and snapshot are still of it */
} LedgerRelation;

bool ledger_relation(Conn *conn, const char *schema, const char *table, Arena *arena, LedgerRelation *ret, Error *err);
/* The same of many, in one statement: ret is an array of count, in the order of names. */
typedef struct LedgerName {
    const char *schema, *table;
} LedgerName;
bool ledger_relations_known(Conn *conn, const LedgerName *names, size_t count, Arena *arena, LedgerRelation *ret,
                            Error *err);

typedef struct LedgerStep {
    int64_t run_id;
    const char *schema, *table, *node, *kind, *materialized; /* materialized: NULL for sources */
    const char *logical_run;                                 /* "tick 2026-01-31T06:15:00Z" or "run 17" */
    bool has_tick;
    Instant tick;
} LedgerStep;

bool ledger_step_begin(Conn *conn, const LedgerStep *step, int64_t *ret_step_id, Error *err);

typedef struct LedgerOutcome {
    const char *outcome;                       /* ok, unchanged, failed, blocked, skipped, cancelled */
    const char *reason;                        /* in the user's words, or NULL */
    int64_t total, inserted, updated, deleted; /* rows; total -1: not known */
    const char *key;                           /* the step's key, or NULL */
    const Error *failure;                      /* or NULL */
    const char *decision;                      /* skip, range, from, full; or NULL */
    const char *touched;                       /* the times that were recomputed, for people, or NULL */
} LedgerOutcome;

/* In the caller's transaction or in one of its own. */
bool ledger_step_end(Conn *conn, int64_t step_id, const LedgerOutcome *outcome, Error *err);
/* Steps of the run that are still running: ended without having been done, as cancelled or failed. A row that was begun
 * once more since its connection was lost before the answer, and has ended under the other number, goes. */
bool ledger_end_steps(Conn *conn, int64_t run_id, const char *outcome, Error *err);
/* A step that never ran (blocked, skipped): begun and ended at once. */
bool ledger_step_unrun(Conn *conn, const LedgerStep *step, const LedgerOutcome *outcome, Error *err);
/* Many steps that were found to have nothing to do, in one statement: begun and ended at once as unchanged, by decision
 * skip. One whose logical run is recorded as done already is passed over. snapshot: in which they were found so, to
 * take the place of the older one they were judged by; or NULL. */
typedef struct LedgerSkip {
    LedgerStep step;
    const char *reason, *key; /* each or NULL */
    const char *judged;       /* LedgerRelation.snapshot that the step was judged by, or NULL */
} LedgerSkip;
bool ledger_steps_unchanged(Conn *conn, const LedgerSkip *skips, size_t count, const char *snapshot, Error *err);
/* After a lost connection: the row of the step, by run, table and logical run. A server that went down may have lost
 * it, which it was not asked to have on disk, and may have given its number to another step since. ERROR_CONNECTION
 * where it has lost the run itself: its number may be another's. */
bool ledger_step_find(Conn *conn, const LedgerStep *step, int64_t *ret_step_id, bool *ret_found, Error *err);
/* After a COMMIT whose answer was lost: whether the step is recorded as done. */
bool ledger_step_done(Conn *conn, int64_t step_id, bool *ret_done, Error *err);

/* Makes the table ours, or notes a publish of it. */
typedef struct LedgerPublish {
    const LedgerStep *step;
    const char *project, *target;
    const char *definition;   /* hash of what the relation was made from, or NULL */
    const char *sql;          /* text that the relation was made from, or NULL */
    const char *content_hash; /* of the delivery, or NULL */
    int64_t content_size;     /* of its file, with a content_hash; -1: not known */
    Instant started_at;       /* of the run */
    int64_t total;            /* rows, -1: not known, what was known stays */
    /* NULL clears each of these: without a snapshot the next step computes everything. */
    const char *step_key, *snapshot, *system_identifier;
    const char *time_column;
    const char *declared;
    bool has_delivery; /* else what was known of the last one stays */
    int64_t delivery_rows;
    bool held; /* a table whose publish was taken back stays so */
} LedgerPublish;
bool ledger_publish_in_txn(Conn *conn, const LedgerPublish *publish, Error *err);

/* The last publish of a table was taken back: what is known of the rows is as before it (-1: not known), but what they
 * were made from stays on record, so that the same is not published again unasked. */
bool ledger_taken_back_in_txn(Conn *conn, const char *schema, const char *table, int64_t total, int64_t delivery_rows,
                              Error *err);

bool ledger_load_in_txn(Conn *conn, int64_t step_id, const char *file, uint64_t bytes, const char *content_hash,
                        int64_t rows_read, const char *mode, Error *err);

/* Ownership, for adopt and drop. */
typedef struct LedgerOwner {
    const char *project, *target, *node, *kind, *materialized;
} LedgerOwner;
/* A relation that is in the ledger already changes hands. */
bool ledger_adopt(Conn *conn, const LedgerOwner *owner, const char *schema, const char *table, Error *err);
bool ledger_forget_in_txn(Conn *conn, const char *schema, const char *table, Error *err);
/* schema_name, table_name, node, kind, materialized of all that the project owns in a target, by name. */
bool ledger_relations(Conn *conn, const char *project, const char *target, Rows **ret_rows, Error *err);

/* schema_name, table_name of those whose last step in a target did not end well, or was not begun for that reason. */
bool ledger_failed(Conn *conn, const char *project, const char *target, Rows **ret_rows, Error *err);

/* For people: columns are named as they are to be shown. limit bounds the rows. */
bool ledger_status(Conn *conn, const char *project, const char *target, Rows **ret_rows, Error *err);
bool ledger_runs(Conn *conn, const char *project, int limit, Rows **ret_rows, Error *err);
/* run_id 0: the newest run. No row where there is none. */
bool ledger_logs_run(Conn *conn, const char *project, int64_t run_id, Rows **ret_run, Error *err);
/* run_id 0: the newest run. Three results: its steps, its checks that failed, its failed rows (bounded). */
bool ledger_logs(Conn *conn, const char *project, int64_t run_id, Rows **ret_steps, Rows **ret_checks,
                 Rows **ret_failed_rows, Error *err);

/* Runs, and their steps, still said to be running that cannot be: their process on this host is gone, or no connection
 * of the project's is left. Marks them lost. Should one of them be alive after all, its end is recorded as ever. */
bool ledger_mark_lost(Conn *conn, const char *project, Error *err);
