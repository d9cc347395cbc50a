/* Check tables: the declared checks, on the tables as they are published; of history on its newest run. */
#pragma once

#include "base/error.h"
#include "project/select.h"
#include "publish/check.h"

typedef struct CheckSummary {
    int64_t run_id;
    size_t ok, failed, warnings;
} CheckSummary;

typedef struct CheckListener {
    void (*checked)(const Node *node, const CheckResult *result, void *data);
    void (*unchecked)(const Node *node, const Error *failure, void *data); /* the checks could not be run */
    void *data;
} CheckListener;

/* Recorded as a run. False where the whole could not be done; checks that fail are in *ret. A table that is not there
 * counts as one that could not be checked. */
bool run_checks(const Project *project, const Selection *selection, const CheckListener *listener, CheckSummary *ret,
                Error *err);
