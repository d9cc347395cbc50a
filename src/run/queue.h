/* Queue: the nodes of a run, and which of them may begin.
 *
 * A node may begin when all that it reads has ended; those that may are taken in the project's order. What is not to
 * be done in this run ends by itself at once, and stands between what is: a model waits for all that lies below it,
 * also through a view that is left as it is. Knows nothing of threads: its owner guards it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "project/project.h"

typedef enum QueueEnd {
    QUEUE_GOOD,
    QUEUE_BAD,  /* failed, or was not built because of another that did */
    QUEUE_BUSY, /* another run is building it */
} QueueEnd;

typedef struct QueueNode {
    const Node *culprit; /* of a bad or busy end: whose it is */
    size_t waits;        /* how many of its inputs have not ended */
    QueueEnd end;
    bool todo, begun;
    bool changed; /* its rows may differ from those before the run; of a query: those of what it reads may */
} QueueNode;

typedef struct Queue {
    const Project *project;
    QueueNode *nodes;       /* by order */
    size_t *firsts;         /* by order, and one more: where its readers begin in: */
    const Node **readers;   /* nodes that read it */
    const Node **resolving; /* a stack for those that end by themselves */
    size_t from;            /* all before this one have begun */
    size_t open;            /* how many that are to be done have not ended */
} Queue;

/* todo: by order, what is to be done. Memory is of the arena. */
void queue_init(Queue *queue, const Project *project, const bool *todo, Arena *arena);
/* The first node that may begin, which counts as begun from then on; NULL: none at this moment. */
const Node *queue_take(Queue *queue);
/* One that was taken, and that somebody else shall do. */
void queue_put_back(Queue *queue, const Node *node);
/* changed: its rows may differ from those before. */
void queue_end(Queue *queue, const Node *node, QueueEnd end, bool changed);
bool queue_done(const Queue *queue); /* all that is to be done has ended */

/* Of a node that was taken: the one because of which it cannot be built, and how that ended; NULL: it can be. */
const Node *queue_culprit(const Queue *queue, const Node *node, QueueEnd *ret_end);
/* Of a node that was taken: whether rows that it reads may have changed in this run. */
bool queue_inputs_changed(const Queue *queue, const Node *node);
