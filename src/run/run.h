/* Run: the steps of a project, in the order of what needs what.
 *
 * A step that fails fails what depends on it (blocked) and nothing else. A lost connection starts the step again,
 * after a look in the ledger whether its COMMIT took place. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "build/step.h"
#include "project/project.h"
#include "project/select.h"

/* Told of every step as it ends, for whoever shows it. */
typedef struct RunListener {
    void (*step_begins)(const Node *node, void *data);
    void (*step_ended)(const Node *node, const StepResult *result, void *data);
    void *data;
} RunListener;

typedef struct RunOptions {
    const Selection *selection;
    const char *command; /* as recorded: "run --due" */
    bool due;
    bool wait;
    bool by_hand; /* see load_file.h */
    RunListener listener;
} RunOptions;

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
