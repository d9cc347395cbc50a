/* Order: nodes after what they read, ties by name; and the cycles that make that impossible. */
#pragma once

#include "project/reading.h"

/* project->nodes is sorted by name, and inputs are known. Sorts it into topological order and sets each node's order;
 * each cycle is reported once, whole, with the place of every reference in it. Nodes of cycles come last. */
void order_nodes(Reading *reading);
