/* Clean: which nodes of a run are up to date before it begins. */
#pragma once

#include "build/survey.h"
#include "pg/conn.h"

/* Looks at the chosen ones (by order) in a transaction of its own, which sees them all at one moment. ret_clean (by
 * order) gets true for those that need no step unless something that they read changes in the run. The survey, to be
 * cleared by the caller in any case, knows by which key and snapshot they were judged. */
bool clean_find(Conn *conn, const Project *project, const bool *chosen, Arena *arena, bool *ret_clean, Survey *ret,
                Error *err);
