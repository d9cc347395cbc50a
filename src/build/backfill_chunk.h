/* Backfill chunk: what the step of one does inside its transaction, under the table's shared lock. */
#pragma once

#include "build/backfill.h"
#include "build/work.h"

/* Marks work->step->chunk as done, and stages, checks and publishes its times. Where another call has done it, or has
 * begun another backfill of the table, the step is skipped, as busy. */
bool backfill_chunk(Work *work, Error *err);
