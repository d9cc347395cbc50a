#include "project/order.h"

#include <string.h>

#include "base/text.h"

enum { CYCLES_MAX = 20, CYCLE_SHOWN = 30 };

/* Nodes are numbered by name: the smallest number is the first name. */
typedef struct Ordering {
    Reading *reading;
    Node **by_name;
    size_t count;
    size_t *waiting;   /* inputs not yet placed, per node */
    size_t *edges;     /* numbers of the nodes that read a node, grouped by it */
    size_t *edge_from; /* where each group begins; one more than nodes */
    size_t *heap;      /* numbers that are ready, smallest first */
    size_t heap_count;
    bool *placed;
    size_t *place; /* numbers in the order found */
    size_t placed_count;
} Ordering;

static void push(Ordering *o, size_t number)
{
    size_t i = o->heap_count++;
    for (; i > 0 && o->heap[(i - 1) / 2] > number; i = (i - 1) / 2)
        o->heap[i] = o->heap[(i - 1) / 2];
    o->heap[i] = number;
}

static size_t pop(Ordering *o)
{
    size_t top = o->heap[0], last = o->heap[--o->heap_count], i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < o->heap_count && o->heap[child + 1] < o->heap[child])
            child++;
        if (child >= o->heap_count || o->heap[child] >= last)
            break;
        o->heap[i] = o->heap[child];
        i = child;
    }
    o->heap[i] = last;
    return top;
}

static void find_edges(Ordering *o)
{
    for (size_t n = 0; n < o->count; n++) {
        o->waiting[n] = o->by_name[n]->input_count;
        for (size_t i = 0; i < o->by_name[n]->input_count; i++)
            o->edge_from[o->by_name[n]->inputs[i]->order + 1]++;
    }
    for (size_t n = 0; n < o->count; n++)
        o->edge_from[n + 1] += o->edge_from[n];
    size_t *next = arena_array(&o->reading->scratch, o->count, sizeof *next);
    memcpy(next, o->edge_from, o->count * sizeof *next);
    for (size_t n = 0; n < o->count; n++)
        for (size_t i = 0; i < o->by_name[n]->input_count; i++)
            o->edges[next[o->by_name[n]->inputs[i]->order]++] = n;
}

static void place(Ordering *o, size_t number)
{
    o->placed[number] = true;
    o->place[o->placed_count++] = number;
    for (size_t e = o->edge_from[number]; e < o->edge_from[number + 1]; e++)
        if (--o->waiting[o->edges[e]] == 0 && !o->placed[o->edges[e]])
            push(o, o->edges[e]);
}

static void place_ready(Ordering *o)
{
    while (o->heap_count > 0) {
        size_t number = pop(o);
        if (!o->placed[number])
            place(o, number);
    }
}

/* --- cycles ------------------------------------------------------------------------------------------------------ */

static Place place_of_input(const Node *node, const Node *input)
{
    for (size_t i = 0; i < node->reference_count; i++)
        if (node->references[i].node == input)
            return node->references[i].place;
    for (size_t i = 0; i < node->depends_on_count; i++)
        if (node->depends_on[i].node == input)
            return node->depends_on[i].place;
    return node->place;
}

/* The first input, by name, that could not be placed: every node left has one. */
static size_t unplaced_input(const Ordering *o, size_t number)
{
    const Node *node = o->by_name[number];
    for (size_t i = 0; i < node->input_count; i++)
        if (!o->placed[node->inputs[i]->order])
            return node->inputs[i]->order;
    return number;
}

static void report_cycle(Ordering *o, const size_t *cycle, size_t length)
{
    TEXT_AUTO(path);
    TEXT_AUTO(detail);
    ERROR_AUTO(err);
    for (size_t i = 0; i < length && i < CYCLE_SHOWN; i++) {
        const Node *node = o->by_name[cycle[i]], *input = o->by_name[cycle[(i + 1) % length]];
        Place at = place_of_input(node, input);
        text_appendf(&path, "%s -> ", node->name);
        text_appendf(&detail, "%s%s reads %s at %s:%d:%d", i ? ", " : "", node->name, input->name, at.file, at.line,
                     at.column);
    }
    if (length > CYCLE_SHOWN) {
        text_appendf(&path, "... (%zu more) -> ", length - CYCLE_SHOWN);
        text_append(&detail, ", ...");
    }
    const Node *first = o->by_name[cycle[0]];
    Place at = place_of_input(first, o->by_name[cycle[length > 1 ? 1 : 0]]);
    error_at(&err, ERROR_PROJECT, at.file, at.line, at.column, "models read each other in a cycle: %s%s",
             text_str(&path), first->name);
    error_detail(&err, "%s", text_str(&detail));
    errors_add(o->reading->errors, &err);
}

/* From the first node that is left, along inputs, until one comes again: what lies between is a cycle. Reports it, and
 * gives its nodes a place, so that others may be found behind it. */
static void break_cycle(Ordering *o, bool report)
{
    size_t *trail = arena_array(&o->reading->scratch, o->count, sizeof *trail);
    size_t *visited = arena_array(&o->reading->scratch, o->count, sizeof *visited); /* step, from 1 */
    size_t number = 0, steps = 0;
    while (o->placed[number])
        number++;
    while (!visited[number]) {
        trail[steps++] = number;
        visited[number] = steps;
        number = unplaced_input(o, number);
    }
    size_t *cycle = trail + visited[number] - 1, length = steps - (visited[number] - 1), smallest = 0;
    for (size_t i = 1; i < length; i++)
        if (cycle[i] < cycle[smallest])
            smallest = i;
    size_t *turned = arena_array(&o->reading->scratch, length, sizeof *turned);
    for (size_t i = 0; i < length; i++)
        turned[i] = cycle[(smallest + i) % length];
    if (report)
        report_cycle(o, turned, length);
    for (size_t i = 0; i < length; i++)
        place(o, turned[i]);
}

void order_nodes(Reading *reading)
{
    Project *project = reading->project;
    Arena *arena = &reading->scratch;
    size_t count = project->node_count, inputs = 0;
    for (size_t n = 0; n < count; n++) {
        project->nodes[n]->order = n; /* its number while ordering */
        inputs += project->nodes[n]->input_count;
    }
    Ordering o = {.reading = reading, .by_name = project->nodes, .count = count};
    o.waiting = arena_array(arena, count, sizeof *o.waiting);
    o.edges = arena_array(arena, inputs + 1, sizeof *o.edges);
    o.edge_from = arena_array(arena, count + 1, sizeof *o.edge_from);
    o.heap = arena_array(arena, count + inputs + 1, sizeof *o.heap);
    o.place = arena_array(arena, count, sizeof *o.place);
    o.placed = arena_array(arena, count, sizeof *o.placed);
    find_edges(&o);
    for (size_t n = 0; n < count; n++)
        if (o.waiting[n] == 0)
            push(&o, n);
    place_ready(&o);
    for (int cycles = 0; o.placed_count < count && cycles < CYCLES_MAX; cycles++) {
        break_cycle(&o, true);
        place_ready(&o);
    }
    for (size_t n = 0; n < count; n++) /* behind more cycles than are worth telling */
        if (!o.placed[n])
            o.place[o.placed_count++] = n;
    Node **sorted = arena_array(&project->arena, count, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = o.by_name[o.place[i]];
    for (size_t i = 0; i < count; i++)
        sorted[i]->order = i;
    project->nodes = sorted;
}
