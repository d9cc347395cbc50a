/* Guard: refuses a delivery, or a publish, that looks like an accident, until `sluice run --accept NAME` takes it. */
#pragma once

#include "build/work.h"
#include "publish/diff.h"

/* A source that says `row_count: {min: 0}` expects deliveries without rows. */
bool guard_allows_empty(const Node *node);
/* min_rows: rows of the delivery against those of the last one that was accepted. shown: the file. */
bool guard_delivery(const Work *work, int64_t rows, const char *shown, Error *err);
/* max_shrink: rows that writing the diff would take from the table, against those it has; of a backfill, all chunks
 * together that have ended, against those it had when it was begun. */
bool guard_shrink(const Work *work, const Diff *diff, Error *err);
