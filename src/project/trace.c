#include "project/trace.h"

#include "base/text.h"
#include "sql/parse.h"

typedef struct Tracer {
    Trace *trace;
    Arena *arena;
    const Node *of;
} Tracer;

static const Node *node_of(const Node *of, const char *schema, const char *table)
{
    for (size_t i = 0; i < of->reference_count; i++) {
        const Reference *ref = &of->references[i];
        if (ref->node && str_eq(ref->name, table) && str_eq(ref->schema, schema))
            return ref->node;
    }
    return NULL;
}

static bool columns_of(const char *schema, const char *table, const char *const **ret, size_t *ret_count, void *data)
{
    Tracer *t = data;
    const Node *node = node_of(t->of, schema, table);
    if (!node || node->order >= t->of->order || !t->trace->nodes[node->order].known)
        return false;
    const TraceNode *known = &t->trace->nodes[node->order];
    const char **names = arena_array(t->arena, known->count + 1, sizeof *names);
    for (size_t i = 0; i < known->count; i++)
        names[i] = known->columns[i].name;
    *ret = names;
    *ret_count = known->count;
    return true;
}

static void trace_source(const Node *node, Arena *arena, TraceNode *ret)
{
    ret->columns = arena_array(arena, node->column_count + 1, sizeof *ret->columns);
    for (size_t i = 0; i < node->column_count; i++)
        ret->columns[ret->count++] = (TraceColumn){.name = node->columns[i].name};
    ret->known = node->column_count > 0;
}

/* The tree's strings are the answer's: it stays as long. */
static void trace_model(Tracer *t, TraceNode *ret)
{
    SqlTree tree;
    SqlLineage lineage;
    SqlLineageTables tables = {columns_of, t};
    const Node *node = t->of;
    ret->columns = arena_array(t->arena, 1, sizeof *ret->columns);
    if (!node->sql || !sql_parse(t->arena, node->sql, &tree, NULL))
        return;
    sql_lineage(t->arena, &tree, &tables, &lineage);
    ret->columns = arena_array(t->arena, lineage.count + 2, sizeof *ret->columns);
    for (size_t i = 0; i < lineage.count; i++)
        ret->columns[ret->count++] = (TraceColumn){lineage.columns[i].name, lineage.columns[i].from};
    ret->known = lineage.whole && lineage.stars.count == 0;
    ret->stars = lineage.stars;
    ret->filters = lineage.filters;
    ret->reads = lineage.reads;
    if (node->materialized == MATERIALIZED_HISTORY)
        ret->columns[ret->count++] = (TraceColumn){.name = "created_at"};
}

void trace_make(const Project *project, Arena *arena, Trace *ret)
{
    *ret = (Trace){.project = project};
    ret->nodes = arena_array(arena, project->node_count + 1, sizeof *ret->nodes);
    for (size_t i = 0; i < project->node_count; i++) {
        Tracer tracer = {.trace = ret, .arena = arena, .of = project->nodes[i]};
        ret->nodes[i].node = project->nodes[i];
        if (project->nodes[i]->kind == NODE_SOURCE)
            trace_source(project->nodes[i], arena, &ret->nodes[i]);
        else
            trace_model(&tracer, &ret->nodes[i]);
    }
}

const TraceNode *trace_table(const Trace *trace, const Node *of, const SqlOrigin *origin)
{
    const Node *node = node_of(of, origin->schema, origin->table);
    return node ? &trace->nodes[node->order] : NULL;
}

const TraceColumn *trace_column(const TraceNode *node, const char *name)
{
    for (size_t i = 0; i < node->count; i++)
        if (str_eq(node->columns[i].name, name))
            return &node->columns[i];
    return NULL;
}
