#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/lineage_graph.h"
#include "cli/session.h"
#include "project/trace.h"

typedef struct Shown {
    Arena *arena;
    const Project *project;
    Trace trace;
    LineageGraph graph;
    const TraceNode *focus; /* NULL: everything */
    const char *column;     /* of it, or NULL */
    size_t vertex;          /* of focus or column */
} Shown;

static const char *kind_of(const Node *node)
{
    return node->kind == NODE_SOURCE ? "source" : materialized_name(node->materialized);
}

static const char *table_name(const Shown *s, const SqlOrigin *origin, const Node *of)
{
    const TraceNode *node = trace_table(&s->trace, of, origin);
    if (node)
        return node->node->name;
    return origin->schema ? arena_printf(s->arena, "%s.%s", origin->schema, origin->table) : origin->table;
}

static size_t origin_vertex(Shown *s, const SqlOrigin *origin, const Node *of)
{
    const TraceNode *node = trace_table(&s->trace, of, origin);
    return lineage_graph_vertex(&s->graph, table_name(s, origin, of), s->graph.columns ? origin->column : NULL,
                                node ? kind_of(node->node) : "");
}

static void add_tables(Shown *s, const Node *node)
{
    size_t to = lineage_graph_vertex(&s->graph, node->name, NULL, kind_of(node));
    for (size_t i = 0; i < node->input_count; i++)
        lineage_graph_edge(&s->graph,
                           lineage_graph_vertex(&s->graph, node->inputs[i]->name, NULL, kind_of(node->inputs[i])), to);
    for (size_t i = 0; i < node->reference_count; i++) {
        const Reference *ref = &node->references[i];
        SqlOrigin origin = {ref->schema, ref->name, NULL};
        if (!ref->node)
            lineage_graph_edge(&s->graph, origin_vertex(s, &origin, node), to);
    }
}

static bool is_same(const SqlOrigin *a, const SqlOrigin *b)
{
    return str_eq(a->schema, b->schema) && str_eq(a->table, b->table) && str_eq(a->column, b->column);
}

static bool is_among(const SqlOrigins *origins, const SqlOrigin *origin)
{
    for (size_t i = 0; i < origins->count; i++)
        if (is_same(&origins->items[i], origin))
            return true;
    return false;
}

/* Uses of columns that no output column comes from: a column that has one cannot be dropped either. */
static void add_uses(Shown *s, const TraceNode *traced)
{
    const Node *node = traced->node;
    for (size_t i = 0; i < traced->filters.count; i++)
        lineage_graph_edge(&s->graph, origin_vertex(s, &traced->filters.items[i], node),
                           lineage_graph_use(&s->graph, "decides the rows of", node->name, kind_of(node)));
    for (size_t i = 0; i < traced->reads.count; i++) {
        const SqlOrigin *read = &traced->reads.items[i];
        bool told = is_among(&traced->filters, read);
        for (size_t j = 0; j < traced->count && !told; j++)
            told = is_among(&traced->columns[j].from, read);
        if (!told)
            lineage_graph_edge(&s->graph, origin_vertex(s, read, node),
                               lineage_graph_use(&s->graph, "is read by", node->name, kind_of(node)));
    }
    for (size_t i = 0; i < traced->stars.count; i++) { /* columns of the focus that only a star may bring out */
        SqlOrigin one = traced->stars.items[i];
        one.column = s->column;
        if (trace_table(&s->trace, node, &one) == s->focus && !is_among(&traced->reads, &one))
            lineage_graph_edge(&s->graph, origin_vertex(s, &one, node),
                               lineage_graph_use(&s->graph, "is one of all columns in", node->name, kind_of(node)));
    }
}

static void add_columns(Shown *s, const TraceNode *traced)
{
    const Node *node = traced->node;
    for (size_t i = 0; i < traced->count; i++) {
        size_t to = lineage_graph_vertex(&s->graph, node->name, traced->columns[i].name, kind_of(node));
        for (size_t j = 0; j < traced->columns[i].from.count; j++)
            lineage_graph_edge(&s->graph, origin_vertex(s, &traced->columns[i].from.items[j], node), to);
    }
    add_uses(s, traced);
}

static bool unknown_column(const TraceNode *node, const char *column, Arena *arena, Error *err)
{
    const char **names = arena_array(arena, node->count + 1, sizeof *names);
    for (size_t i = 0; i < node->count; i++)
        names[i] = node->columns[i].name;
    const char *near = nearest(column, names, node->count);
    TEXT_AUTO(shown);
    text_append_shown(&shown, column, strlen(column), 100);
    error_set(err, ERROR_PROJECT, "%s has no column '%s'%s", node->node->name, text_str(&shown),
              node->known ? "" : " that the files tell of");
    return near ? error_hint(err, "did you mean '%s'?", near) : false;
}

/* A column that its table's file does not tell of is one where a model names it. */
static bool build_graph(Shown *s, Error *err)
{
    lineage_graph_init(&s->graph, s->column != NULL, s->arena);
    for (size_t i = 0; i < s->project->node_count; i++)
        if (s->column)
            add_columns(s, &s->trace.nodes[i]);
        else
            add_tables(s, s->project->nodes[i]);
    size_t before = s->graph.count;
    if (s->focus) {
        s->vertex = lineage_graph_vertex(&s->graph, s->focus->node->name, s->column, kind_of(s->focus->node));
        lineage_graph_choose(&s->graph, s->vertex);
    } else {
        for (size_t i = 0; i < s->graph.count; i++)
            s->graph.vertices[i]->chosen = true;
    }
    return s->graph.count == before || !s->column || unknown_column(s->focus, s->column, s->arena, err);
}

/* Names of models hold no dot, those of columns may. */
static bool find_focus(Shown *s, const char *name, Error *err)
{
    size_t length = strcspn(name, ".");
    const char *table = arena_strndup(s->arena, name, length);
    const Node *node = project_find(s->project, table);
    if (!node)
        return project_unknown(s->project, table, err);
    s->column = name[length] ? name + length + 1 : NULL;
    s->focus = &s->trace.nodes[node->order];
    return !s->column || !s->focus->known || trace_column(s->focus, s->column) ||
           unknown_column(s->focus, s->column, s->arena, err);
}

/* --- for people -------------------------------------------------------------------------------------------------- */

static void append_origins(const Shown *s, const SqlOrigins *origins, const Node *of, Text *out)
{
    for (size_t i = 0; i < origins->count; i++) {
        const char *table = table_name(s, &origins->items[i], of), *column = origins->items[i].column;
        text_append(out, i ? ", " : "");
        text_append_shown(out, table, strlen(table), 200);
        text_append(out, column ? "." : ", columns not known");
        text_append_shown(out, column ? column : "", column ? strlen(column) : 0, 200);
    }
}

static void append_ways(Shown *s, Text *out)
{
    static const char *const titles[] = {"comes from", "goes to"};
    for (int down = 0; down < 2; down++) {
        const Vertex *v = s->graph.vertices[s->vertex];
        text_appendf(out, "%s\n", titles[down]);
        if ((down ? v->output_count : v->input_count) == 0)
            text_append(out, "  nothing\n");
        lineage_graph_forget(&s->graph);
        lineage_graph_tree(&s->graph, s->vertex, !down, 2, out);
    }
}

static void append_filters(const Shown *s, Text *out)
{
    if (s->focus->filters.count == 0)
        return;
    text_append(out, "which rows there are is decided by\n  ");
    append_origins(s, &s->focus->filters, s->focus->node, out);
    text_append_char(out, '\n');
}

static void append_columns(const Shown *s, Text *out)
{
    const TraceNode *focus = s->focus;
    if (focus->count)
        text_append(out, "columns\n");
    for (size_t i = 0; i < focus->count; i++) {
        text_append(out, "  ");
        text_append_shown(out, focus->columns[i].name, strlen(focus->columns[i].name), 200);
        text_append(out, focus->columns[i].from.count ? " from " : "");
        append_origins(s, &focus->columns[i].from, focus->node, out);
        text_append_char(out, '\n');
    }
    if (focus->known)
        return;
    text_append(out, "columns that are not known");
    text_append(out, focus->stars.count ? ": all of " : "\n");
    for (size_t i = 0; i < focus->stars.count; i++) {
        const char *table = table_name(s, &focus->stars.items[i], focus->node);
        text_append(out, i ? ", " : "");
        text_append_shown(out, table, strlen(table), 200);
    }
    text_append(out, focus->stars.count ? "\n" : "");
}

static void append_everything(Shown *s, Text *out)
{
    for (size_t i = 0; i < s->graph.count; i++) {
        const Vertex *v = s->graph.vertices[i];
        if (v->output_count > 0)
            continue;
        lineage_graph_name(v, true, out);
        text_append_char(out, '\n');
        lineage_graph_tree(&s->graph, i, true, 2, out);
    }
}

static void append_text(Shown *s, Text *out)
{
    if (!s->focus) {
        append_everything(s, out);
        return;
    }
    lineage_graph_name(s->graph.vertices[s->vertex], true, out);
    text_append_char(out, '\n');
    append_ways(s, out);
    if (!s->column)
        append_columns(s, out);
    append_filters(s, out);
}

/* --- for programs ------------------------------------------------------------------------------------------------ */

static void json_origins(const Shown *s, const char *key, const SqlOrigins *origins, const Node *of, Json *json)
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < origins->count; i++) {
        json_object(json);
        json_key(json, "table");
        json_string(json, table_name(s, &origins->items[i], of));
        json_key(json, "column");
        json_string(json, origins->items[i].column);
        json_end(json);
    }
    json_end(json);
}

static void json_node(const Shown *s, const TraceNode *traced, Json *json)
{
    json_object(json);
    json_key(json, "name");
    json_string(json, traced->node->name);
    json_key(json, "kind");
    json_string(json, kind_of(traced->node));
    json_key(json, "columns_known");
    json_raw(json, traced->known ? "true" : "false");
    json_key(json, "columns");
    json_array(json);
    for (size_t i = 0; i < traced->count; i++) {
        json_object(json);
        json_key(json, "name");
        json_string(json, traced->columns[i].name);
        json_origins(s, "from", &traced->columns[i].from, traced->node, json);
        json_end(json);
    }
    json_end(json);
    json_origins(s, "stars", &traced->stars, traced->node, json);
    json_origins(s, "filters", &traced->filters, traced->node, json);
    json_end(json);
}

static void append_json(const Shown *s, Text *out)
{
    Json json = {.out = out};
    bool *chosen CLEANUP(mem_free_p) = mem_alloc(s->project->node_count + 1);
    for (size_t i = 0; i < s->graph.count; i++) {
        const Vertex *v = s->graph.vertices[i];
        const Node *node = v->chosen && *v->kind ? project_find(s->project, v->table) : NULL;
        if (node)
            chosen[node->order] = true;
    }
    json_object(&json);
    json_key(&json, "nodes");
    json_array(&json);
    for (size_t i = 0; i < s->project->node_count; i++)
        if (chosen[i])
            json_node(s, &s->trace.nodes[i], &json);
    json_end(&json);
    lineage_graph_json(&s->graph, &json);
    json_end(&json);
    text_append_char(out, '\n');
}

static bool show(Call *call, const Project *project, Error *err)
{
    Shown s = {.arena = &call->arena, .project = project};
    TEXT_AUTO(out);
    trace_make(project, s.arena, &s.trace);
    if ((call->argument_count > 0 && !find_focus(&s, call->arguments[0], err)) || !build_graph(&s, err))
        return false;
    const char *format = call_value(call, "format");
    if (str_eq(format, "json"))
        append_json(&s, &out);
    else if (str_eq(format, "dot"))
        lineage_graph_dot(&s.graph, &out);
    else
        append_text(&s, &out);
    fwrite(text_str(&out), 1, out.len, stdout);
    return true;
}

int cmd_lineage(Call *call) { return session_act(call, SESSION_WHOLE, show); }
