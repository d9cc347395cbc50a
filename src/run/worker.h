/* Worker: does the steps of a run, one after the other, while others do theirs.
 *
 * Each has a connection, an arena and a thread of its own, and is straight-line code that blocks. What they share is
 * a Crew: one mutex guards the queue, the counts and the calls of the listener. A worker whose connection is lost, and
 * cannot be had again, gives its step back and leaves; the run fails when the last one leaves. */
#pragma once

#include <pthread.h>

#include "base/error.h"
#include "build/step.h"
#include "run/queue.h"
#include "run/run.h"

/* The reason of a step that was passed over. */
const char *crew_unchanged_reason(const Node *node);

typedef struct Crew {
    const Project *project;
    const RunOptions *options;
    const char *url;   /* of the target, whose server runs */
    Build build;       /* as every worker's, but for the connection */
    Step *steps;       /* by order; what was begun may be gone on with by another */
    const bool *clean; /* by order: up to date as long as nothing that it reads changes in this run */

    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t news;   /* a step has ended, or was given back, or the run is stopped */
    Queue queue;
    RunSummary *summary;
    const Node *failed;     /* the first that did */
    const Node **unchanged; /* clean ones that were passed over, to be recorded; room for all */
    size_t unchanged_count;
    size_t at_work; /* workers */
    bool stopped;   /* nothing is begun any more */
    Error failure;  /* why */
} Crew;

void crew_init(Crew *crew); /* the mutex; all else is the caller's to set */
void crew_clear(Crew *crew);
/* Does all that is in the queue: `count` workers, of which this thread is the first, over *conn. That is replaced where
 * it is lost, and NULL where no other was to be had. False: the run cannot go on; what was begun stays in the queue. */
bool crew_work(Crew *crew, size_t count, Conn **conn, Error *err);
