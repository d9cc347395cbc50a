#include "cli/lineage_graph.h"

#include <stdlib.h>
#include <string.h>

enum { INDENT_MAX = 100, NAME_SHOWN_MAX = 200 };

void lineage_graph_init(LineageGraph *graph, bool columns, Arena *arena)
{
    *graph = (LineageGraph){.arena = arena, .columns = columns, .index = {.arena = arena}};
}

static size_t find_vertex(LineageGraph *graph, const char *key, const Vertex *made)
{
    size_t *known = index_get(&graph->index, key);
    if (known)
        return *known;
    if ((graph->count & (graph->count - 1)) == 0) { /* grown at powers of two */
        Vertex **vertices = arena_array(graph->arena, graph->count ? graph->count * 2 : 1, sizeof(void *));
        if (graph->count)
            memcpy(vertices, graph->vertices, graph->count * sizeof(void *));
        graph->vertices = vertices;
    }
    Vertex *vertex = arena_alloc(graph->arena, sizeof *vertex);
    *vertex = *made;
    known = arena_alloc(graph->arena, sizeof *known);
    *known = graph->count;
    index_put(&graph->index, key, known);
    graph->vertices[graph->count] = vertex;
    return graph->count++;
}

/* Names hold no control characters, and keys have them between names. */
size_t lineage_graph_vertex(LineageGraph *graph, const char *table, const char *column, const char *kind)
{
    const char *key = arena_printf(graph->arena, "%s\x1f%s", table, column ? column : "\x1f");
    return find_vertex(graph, key, &(Vertex){.table = table, .column = column, .kind = kind});
}

size_t lineage_graph_use(LineageGraph *graph, const char *use, const char *table, const char *kind)
{
    const char *key = arena_printf(graph->arena, "%s\x1e%s", table, use);
    return find_vertex(graph, key, &(Vertex){.table = table, .kind = kind, .use = use});
}

static void push(Arena *arena, size_t **list, size_t *count, size_t item)
{
    if ((*count & (*count - 1)) == 0) {
        size_t *items = arena_array(arena, *count ? *count * 2 : 1, sizeof *items);
        if (*count)
            memcpy(items, *list, *count * sizeof *items);
        *list = items;
    }
    (*list)[(*count)++] = item;
}

void lineage_graph_edge(LineageGraph *graph, size_t from, size_t to)
{
    Vertex *output = graph->vertices[to], *input = graph->vertices[from];
    for (size_t i = 0; i < output->input_count; i++)
        if (output->inputs[i] == from)
            return;
    push(graph->arena, &output->inputs, &output->input_count, from);
    push(graph->arena, &input->outputs, &input->output_count, to);
}

static void choose_way(LineageGraph *graph, size_t vertex, bool up)
{
    bool *seen CLEANUP(mem_free_p) = mem_alloc(graph->count + 1);
    size_t *queue CLEANUP(mem_free_p) = mem_alloc((graph->count + 1) * sizeof *queue);
    size_t head = 0, tail = 0;
    queue[tail++] = vertex;
    seen[vertex] = true;
    while (head < tail) {
        Vertex *v = graph->vertices[queue[head++]];
        v->chosen = true;
        size_t count = up ? v->input_count : v->output_count;
        for (size_t i = 0; i < count; i++) {
            size_t next = up ? v->inputs[i] : v->outputs[i];
            if (!seen[next]) {
                seen[next] = true;
                queue[tail++] = next;
            }
        }
    }
}

void lineage_graph_choose(LineageGraph *graph, size_t vertex)
{
    choose_way(graph, vertex, true);
    choose_way(graph, vertex, false);
}

/* --- text -------------------------------------------------------------------------------------------------------- */

void lineage_graph_name(const Vertex *vertex, bool with_kind, Text *out)
{
    if (vertex->use)
        text_appendf(out, "%s ", vertex->use);
    text_append_shown(out, vertex->table, strlen(vertex->table), NAME_SHOWN_MAX);
    if (vertex->column) {
        text_append_char(out, '.');
        text_append_shown(out, vertex->column, strlen(vertex->column), NAME_SHOWN_MAX);
    }
    if (with_kind && *vertex->kind)
        text_appendf(out, " (%s)", vertex->kind);
}

typedef struct Entry {
    size_t vertex;
    int depth;
} Entry;

void lineage_graph_tree(LineageGraph *graph, size_t vertex, bool up, int indent, Text *out)
{
    Entry *stack = NULL;
    size_t count = 0, room = 0;
    Entry at = {vertex, -1};
    for (;;) {
        Vertex *v = graph->vertices[at.vertex];
        size_t next = up ? v->input_count : v->output_count;
        bool again = v->shown && next > 0;
        if (at.depth >= 0) {
            for (int i = 0; i < indent + 2 * (at.depth < INDENT_MAX ? at.depth : INDENT_MAX); i++)
                text_append_char(out, ' ');
            lineage_graph_name(v, !graph->columns, out);
            text_append(out, again ? ", see above\n" : "\n");
        }
        v->shown = true;
        for (size_t i = again ? 0 : next; i-- > 0;) {
            if (count == room) {
                room = room ? room * 2 : 64;
                stack = mem_resize(stack, room, sizeof *stack);
            }
            stack[count++] = (Entry){up ? v->inputs[i] : v->outputs[i], at.depth + 1};
        }
        if (count == 0)
            break;
        at = stack[--count];
    }
    free(stack);
}

void lineage_graph_forget(LineageGraph *graph)
{
    for (size_t i = 0; i < graph->count; i++)
        graph->vertices[i]->shown = false;
}

/* --- for programs ------------------------------------------------------------------------------------------------ */

static void json_vertex(const LineageGraph *graph, const Vertex *vertex, Json *json)
{
    json_object(json);
    json_key(json, "table");
    json_string(json, vertex->table);
    if (graph->columns) {
        json_key(json, "column");
        json_string(json, vertex->column);
        if (vertex->use) {
            json_key(json, "use");
            json_string(json, vertex->use);
        }
    }
    json_end(json);
}

void lineage_graph_json(const LineageGraph *graph, Json *json)
{
    json_key(json, "edges");
    json_array(json);
    for (size_t i = 0; i < graph->count; i++) {
        const Vertex *v = graph->vertices[i];
        for (size_t j = 0; v->chosen && j < v->input_count; j++) {
            if (!graph->vertices[v->inputs[j]]->chosen)
                continue;
            json_object(json);
            json_key(json, "from");
            json_vertex(graph, graph->vertices[v->inputs[j]], json);
            json_key(json, "to");
            json_vertex(graph, v, json);
            json_end(json);
        }
    }
    json_end(json);
}

/* A quoted ID of Graphviz: a quote is escaped, and a backslash, which would begin an escape of labels; line ends too.
 */
static void dot_id(const Vertex *vertex, Text *out)
{
    TEXT_AUTO(name);
    lineage_graph_name(vertex, false, &name);
    text_append_char(out, '"');
    for (const char *p = text_str(&name); *p; p++) {
        if (*p == '"' || *p == '\\')
            text_append_char(out, '\\');
        text_append_char(out, *p);
    }
    text_append_char(out, '"');
}

void lineage_graph_dot(const LineageGraph *graph, Text *out)
{
    text_append(out, "digraph lineage {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for (size_t i = 0; i < graph->count; i++) {
        const Vertex *v = graph->vertices[i];
        if (!v->chosen)
            continue;
        text_append(out, "  ");
        dot_id(v, out);
        bool source = str_eq(v->kind, "source"), other = !*v->kind;
        text_append(out, source ? " [shape=cylinder];\n" : other || v->use ? " [style=dashed];\n" : ";\n");
        for (size_t j = 0; j < v->input_count; j++) {
            if (!graph->vertices[v->inputs[j]]->chosen)
                continue;
            text_append(out, "  ");
            dot_id(graph->vertices[v->inputs[j]], out);
            text_append(out, " -> ");
            dot_id(v, out);
            text_append(out, ";\n");
        }
    }
    text_append(out, "}\n");
}
