/* Tracking: the triggers on tables of others, put there and taken away as the sources say. */
#pragma once

#include "pg/conn.h"
#include "project/project.h"

bool node_is_tracked(const Node *node); /* by triggers */

/* The source's triggers stand after it, whole; or, with a warning, not yet, where writers would not let go of the
 * table. A transaction of its own. */
bool tracking_install(Conn *conn, const Project *project, const Node *node, Error *err);
/* Before a run's steps: triggers that no source asks for any more are taken away; those of sources that the run reads,
 * but does not have among its steps (todo, by order), are seen to, and a warning told where that cannot be. */
bool tracking_prepare(Conn *conn, const Project *project, const bool *todo, Error *err);
