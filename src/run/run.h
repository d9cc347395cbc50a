/* Run: the steps of a project, in the order of what needs what, one or several at a time.
 *
 * A step that fails fails what depends on it (blocked) and nothing else. One that fails for a reason that may pass is
 * tried again, as often as its `retries` says. A lost connection starts the step again, after a look in the ledger
 * whether its COMMIT took place. What comes of it is the same however many steps are done at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "build/step.h"
#include "project/project.h"
#include "project/select.h"

/* Told of every step as it ends, for whoever shows it. One call at a time, in the thread that does the step. */
typedef struct RunListener {
    void (*step_begins)(const Node *node, void *data);
    /* Begun, and not ended: the run stops, or another thread goes on. */
    void (*step_left)(const Node *node, void *data);
    void (*step_ended)(const Node *node, const StepResult *result, void *data);
    void *data;
} RunListener;

typedef struct RunOptions {
    const Selection *selection;
    const char *command; /* as recorded: "run --due" */
    bool due;
    bool wait;
    bool by_hand;         /* see load_file.h */
    bool failed;          /* only what did not end well the last time, or was not begun because of that */
    bool fail_fast;       /* after the first failure nothing is begun */
    bool full_refresh;    /* see Build */
    const bool *accepted; /* see Build */
    size_t threads;       /* steps at a time, at most RUN_THREADS_MAX; 0: 1 */
    RunListener listener;
} RunOptions;

enum { RUN_THREADS_MAX = 64 };

enum { RUN_LAST_WORDS = 5 }; /* seconds to record the end of a run or check that is cancelled */

typedef struct RunSummary {
    int64_t run_id; /* 0: nothing was to be done, and nothing was recorded */
    size_t ok, unchanged, failed, blocked, skipped;
    size_t busy; /* of the skipped: tables that another run is building */
    size_t warnings;
} RunSummary;

/* False where the run as a whole could not be done: no connection, cancelled, the ledger cannot be written. Steps that
 * fail are in *ret. The private PostgreSQL is started if need be. */
bool run_project(const Project *project, const RunOptions *options, RunSummary *ret, Error *err);

/* For who does steps of its own. A step's outcome, added up; and a run's row in the ledger, with those marked lost that
 * cannot be running any more. */
void run_count(RunSummary *summary, const StepResult *result);
bool run_record_begin(Conn *conn, const Project *project, const char *command, Instant started_at, int64_t *ret_run_id,
                      Error *err);
