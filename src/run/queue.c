#include "run/queue.h"

const Node *queue_culprit(const Queue *queue, const Node *node, QueueEnd *ret_end)
{
    for (size_t i = 0; i < node->input_count; i++) {
        const QueueNode *input = &queue->nodes[node->inputs[i]->order];
        if (input->end != QUEUE_GOOD) {
            *ret_end = input->end;
            return input->culprit;
        }
    }
    return NULL;
}

bool queue_inputs_changed(const Queue *queue, const Node *node)
{
    for (size_t i = 0; i < node->input_count; i++)
        if (queue->nodes[node->inputs[i]->order].changed)
            return true;
    return false;
}

/* A node that is not to be done. Without its inputs' rows an ephemeral one has none; tables and views stand. */
static void pass(Queue *queue, const Node *node)
{
    QueueNode *state = &queue->nodes[node->order];
    state->begun = true;
    if (node_is_ephemeral(node))
        state->culprit = queue_culprit(queue, node, &state->end);
    state->changed = node_is_query(node) && queue_inputs_changed(queue, node);
}

/* node has ended: so do those that waited for it alone and are not to be done. A stack in place of recursion: a chain
 * may be as long as the project. Each node gets there once. */
static void resolve(Queue *queue, const Node *node)
{
    size_t depth = 0;
    queue->resolving[depth++] = node;
    while (depth > 0) {
        size_t ended = queue->resolving[--depth]->order;
        for (size_t i = queue->firsts[ended]; i < queue->firsts[ended + 1]; i++) {
            const Node *reader = queue->readers[i];
            QueueNode *state = &queue->nodes[reader->order];
            if (--state->waits > 0 || state->todo)
                continue;
            pass(queue, reader);
            queue->resolving[depth++] = reader;
        }
    }
}

static void link_readers(Queue *queue, Arena *arena)
{
    const Project *project = queue->project;
    queue->firsts = arena_array(arena, project->node_count + 1, sizeof *queue->firsts);
    for (size_t i = 0; i < project->node_count; i++)
        for (size_t j = 0; j < project->nodes[i]->input_count; j++)
            queue->firsts[project->nodes[i]->inputs[j]->order + 1]++;
    for (size_t i = 0; i < project->node_count; i++)
        queue->firsts[i + 1] += queue->firsts[i];
    queue->readers = arena_array(arena, queue->firsts[project->node_count], sizeof *queue->readers);
    size_t *filled CLEANUP(mem_free_p) = mem_alloc((project->node_count + 1) * sizeof *filled);
    for (size_t i = 0; i < project->node_count; i++)
        for (size_t j = 0; j < project->nodes[i]->input_count; j++) {
            size_t input = project->nodes[i]->inputs[j]->order;
            queue->readers[queue->firsts[input] + filled[input]++] = project->nodes[i];
        }
}

void queue_init(Queue *queue, const Project *project, const bool *todo, Arena *arena)
{
    size_t count = project->node_count;
    *queue = (Queue){.project = project, .nodes = arena_array(arena, count, sizeof *queue->nodes)};
    queue->resolving = arena_array(arena, count + 1, sizeof *queue->resolving);
    link_readers(queue, arena);
    for (size_t i = 0; i < count; i++) {
        queue->nodes[i].todo = todo[i];
        queue->nodes[i].waits = project->nodes[i]->input_count;
        queue->open += todo[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (todo[i] || project->nodes[i]->input_count > 0)
            continue;
        pass(queue, project->nodes[i]);
        resolve(queue, project->nodes[i]);
    }
}

const Node *queue_take(Queue *queue)
{
    size_t count = queue->project->node_count;
    while (queue->from < count && queue->nodes[queue->from].begun)
        queue->from++;
    for (size_t i = queue->from; i < count; i++) {
        QueueNode *state = &queue->nodes[i];
        if (state->begun || state->waits > 0)
            continue;
        state->begun = true;
        return queue->project->nodes[i];
    }
    return NULL;
}

void queue_put_back(Queue *queue, const Node *node)
{
    queue->nodes[node->order].begun = false;
    if (node->order < queue->from)
        queue->from = node->order;
}

void queue_end(Queue *queue, const Node *node, QueueEnd end, bool changed)
{
    QueueNode *state = &queue->nodes[node->order];
    state->end = end;
    state->culprit = node;
    state->changed = changed || (node_is_query(node) && queue_inputs_changed(queue, node));
    queue->open--;
    resolve(queue, node);
}

bool queue_done(const Queue *queue) { return queue->open == 0; }
