/* Due: what a node's schedule says, given what the ledger knows of its table. */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "project/project.h"
#include "record/ledger.h"

/* False for a node without a schedule. *ret_tick names the run. */
bool due_tick(const Node *node, const LedgerRelation *known, Instant now, Instant *ret_tick);
