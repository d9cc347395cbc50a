/* Worker: does the steps of a run, one after the other, while others do theirs.
 *
 * Each has a connection, an arena and a thread of its own, and is straight-line code that blocks. What they share is
 * a Crew: its team's mutex guards the queue, the counts and the calls of the listener. */
#pragma once

#include "base/error.h"
#include "build/step.h"
#include "run/queue.h"
#include "run/run.h"
#include "run/team.h"

typedef struct Crew {
    const Project *project;
    const RunOptions *options;
    Team team;         /* its url and build are the caller's to set */
    Step *steps;       /* by order; what was begun may be gone on with by another */
    const bool *clean; /* by order: up to date as long as nothing that it reads changes in this run */

    /* Guarded by the team's mutex: */
    pthread_cond_t news; /* a step has ended, or was given back, or the run is stopped */
    Queue queue;
    RunSummary *summary;
    const Node *failed;     /* the first that did */
    const Node **unchanged; /* clean ones that were passed over, to be recorded; room for all */
    size_t unchanged_count;
} Crew;

void crew_init(Crew *crew); /* the mutex; all else is the caller's to set */
void crew_clear(Crew *crew);
/* Does all that is in the queue: `count` workers, of which this thread is the first, over *conn. That is replaced where
 * it is lost, and NULL where no other was to be had. False: the run cannot go on; what was begun stays in the queue. */
bool crew_work(Crew *crew, size_t count, Conn **conn, Error *err);
