/* Partial: the part of an incremental table that a change of its inputs can reach, computed anew. */
#pragma once

#include "build/work.h"

/* Stages, checks and publishes the times that work->decided names. Where the query does not run on a part of its inputs
 * (*ret_refused), nothing was done, and the caller recomputes in full. */
bool partial_remake(Work *work, bool *ret_refused, Error *err);
