/* Attempt: a step is begun, and begun anew where it failed for a reason that may pass, as often as its `retries` says,
 * over a connection that is opened again where it is lost. For whoever does steps in a thread of its own. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "build/step.h"

typedef struct Attempt {
    Build *build;    /* its conn is this thread's own, and NULL where it has none */
    const char *url; /* of the target, whose server runs */
    Arena *arena;    /* of one step */
} Attempt;

/* Another connection in place of what build->conn was. */
bool attempt_reconnect(const Attempt *attempt, Error *err);
/* After err: whether it was a lost connection, and there is a new one. what: what was done over it. */
bool attempt_regain(const Attempt *attempt, const char *what, Error *err);
/* Begins the step and runs it to its end. False: no connection was to be had, the program is to stop, or the ledger
 * cannot be written; then the step may be gone on with by another thread. */
bool attempt_step(const Attempt *attempt, Step *step, StepResult *ret, Error *err);
