/* Graph: which node each name in the project means, and the order in which to build.
 *
 * A name without a schema means the relation of that name in the target's schema; what matters is the relation's name
 * (node->table), not the file's. Nothing here recurses: a chain of 10,000 models is as good as any.
 *
 * The order is Kahn's (1962), with a heap of what is ready, so that ties go by name. */
#pragma once

#include "project/reading.h"

/* Resolves references, depends_on and the tables of relationships; fills inputs and order, and sorts project->nodes.
 * Two nodes with one relation, unknown names in depends_on, a model that reads itself and cycles are reported; names
 * that are near to a node's, and mean none, are warnings. */
void graph_link(Reading *reading);
