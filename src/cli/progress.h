/* Progress: what a run does, told on standard error while it does it. */
#pragma once

#include "cli/call.h"
#include "run/run.h"

/* due: a table that another run is building is as it should be. On a terminal the steps that run are shown from now on,
 * a line each, until one of these is called: */
RunListener progress_begin(bool due);
/* Tells how one step ended; label: what is told of it, most often the node's name. */
void progress_ended(const char *label, const Node *node, const StepResult *result, bool due);
/* Prints why the run could not be done, and returns the exit status that goes with it. */
int progress_failed(const Error *failure);
/* Prints the summary of a run that could be done, and returns its exit status: 1 where a step failed, else 4 where
 * another run is building a table (with due that is 0), else 0. */
int progress_finish(const RunSummary *summary, bool due);
