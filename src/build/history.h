/* History: models whose every run keeps its rows, stamped with created_at. */
#pragma once

#include "build/work.h"

/* The column created_at of a new history table, with its index. */
bool history_stamp_new(Work *work, Error *err);
/* Appends the staged rows, and drops the runs that are past `keep`. */
bool history_append(Work *work, const Table *stage, Error *err);
