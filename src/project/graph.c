#include "project/graph.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "project/expression.h"
#include "project/node.h"
#include "project/order.h"

enum { NEAREST_BUDGET = 500000 }; /* candidates looked at per project for warnings: a second at most */

typedef struct Linker {
    Reading *reading;
    Index relations; /* schema, a zero-like separator, table: to Node */
    Strings tables;  /* of all nodes, for hints; and the same of nodes */
    Strings names;
    Index warned;
    size_t budget;
} Linker;

/* Names cannot hold the separator: control characters are refused in them. */
static const char *relation_key(Arena *arena, const char *schema, const char *table)
{
    return arena_printf(arena, "%s\x1f%s", schema, table);
}

static void index_relations(Linker *l)
{
    Project *project = l->reading->project;
    for (size_t i = 0; i < project->node_count; i++) {
        Node *node = project->nodes[i];
        strings_add(&project->arena, &l->tables, node->table);
        strings_add(&project->arena, &l->names, node->name);
        const char *key = relation_key(&l->reading->scratch, node->schema, node->table);
        const Node *other = index_put(&l->relations, key, node);
        if (other)
            reading_report(l->reading, node->place, "`table:` or `schema:` may give one of them another",
                           "its relation %s.%s is that of %s too", node->schema, node->table, other->place.file);
    }
}

static Node *find_relation(const Linker *l, const char *schema, const char *table)
{
    Reading *reading = l->reading;
    return index_get(&l->relations,
                     relation_key(&reading->scratch, schema ? schema : reading->project->target.schema, table));
}

/* --- names that mean no node ------------------------------------------------------------------------------------- */

static const Node *same_but_case(const Linker *l, const char *name)
{
    const Project *project = l->reading->project;
    for (size_t i = 0; i < project->node_count; i++)
        if (strcasecmp(project->nodes[i]->table, name) == 0)
            return project->nodes[i];
    return NULL;
}

/* Others' tables are fine, so this is a word of warning at most, and only where a node's name is near. */
static void warn_unknown(Linker *l, const char *schema, const char *name, Place place, const Node *node)
{
    Arena *arena = &l->reading->project->arena;
    if (l->budget < l->tables.count * 2 || index_put(&l->warned, name, l))
        return;
    l->budget -= l->tables.count * 2;
    const Node *same = same_but_case(l, name);
    const char *near = NULL, *hint = NULL;
    if (same && str_eq(same->table, name) && schema)
        return; /* the same name in another schema, said on purpose */
    if (same && str_eq(same->table, name))
        hint = arena_printf(arena, "did you mean %s.%s?", same->schema, same->table);
    else if (same)
        hint = arena_printf(arena, "did you mean %s? In SQL it is written \"%s\"", same->name, same->table);
    else if (!schema && (near = nearest(name, l->tables.items, l->tables.count)))
        hint = arena_printf(arena, "did you mean '%s'?", near);
    if (hint && !str_eq(near, node->table))
        reading_warn(l->reading, place, hint, "%s reads %s, which the project does not make", node->name, name);
}

static void link_references(Linker *l, Node *node)
{
    for (size_t i = 0; i < node->reference_count; i++) {
        Reference *ref = &node->references[i];
        Node *found = find_relation(l, ref->schema, ref->name);
        if (found == node)
            reading_report(l->reading, ref->place, "read what it is made from", "model %s reads itself", node->name);
        else if (found)
            ref->node = found;
        else
            warn_unknown(l, ref->schema, ref->name, ref->place, node);
    }
}

static void link_depends_on(Linker *l, Node *node)
{
    for (size_t i = 0; i < node->depends_on_count; i++) {
        Reference *ref = &node->depends_on[i];
        Node *found = index_get(&l->reading->nodes, ref->name);
        if (found == node)
            reading_report(l->reading, ref->place, NULL, "model %s depends on itself", node->name);
        else if (found)
            ref->node = found;
        else
            reading_report(l->reading, ref->place, reading_nearest(l->reading, ref->name, l->names),
                           "'depends_on' names '%s', which is no source or model", ref->name);
    }
}

/* --- relationships ----------------------------------------------------------------------------------------------- */

static void check_field(Linker *l, const Check *check)
{
    Strings columns = node_columns(check->to_node, &l->reading->scratch);
    bool stamped = check->to_node->materialized == MATERIALIZED_HISTORY && str_eq(check->field, "created_at");
    if (!check->field || columns.count == 0 || strings_have(&columns, check->field) || stamped)
        return;
    reading_report(l->reading, check->field_place, reading_nearest(l->reading, check->field, columns),
                   "%s %s has no column '%s'", node_kind_name(check->to_node), check->to_node->name, check->field);
}

static void link_relationship(Linker *l, const Node *node, Check *check)
{
    ERROR_AUTO(err);
    const char *schema, *table;
    check->to_node = index_get(&l->reading->nodes, check->to);
    if (!check->to_node) {
        if (!expression_table(&l->reading->scratch, check->to, &schema, &table, &err)) {
            reading_report(l->reading, check->to_place, err.hint, "%s", err.message);
            return;
        }
        check->to_node = find_relation(l, schema, table);
        if (!check->to_node)
            warn_unknown(l, schema, table, check->to_place, node);
    }
    if (!check->to_node)
        return;
    if (check->to_node->kind == NODE_MODEL && check->to_node->materialized == MATERIALIZED_EPHEMERAL)
        reading_report(l->reading, check->to_place, NULL, "%s is ephemeral: it has no table to look into",
                       check->to_node->name);
    check_field(l, check);
}

/* What a check's query reads is no input either: it is not built before, and may be the node itself. */
static void link_check_sql(Linker *l, const Node *node, Check *check)
{
    for (size_t i = 0; i < check->reference_count; i++) {
        Reference *ref = &check->references[i];
        ref->node = find_relation(l, ref->schema, ref->name);
        if (!ref->node)
            warn_unknown(l, ref->schema, ref->name, ref->place, node);
        else if (node_is_ephemeral(ref->node))
            reading_report(l->reading, ref->place, NULL, "%s is ephemeral: it has no table to look into",
                           ref->node->name);
    }
}

/* --- inputs ------------------------------------------------------------------------------------------------------ */

static int compare_nodes(const void *a, const void *b)
{
    return strcmp((*(Node *const *)a)->name, (*(Node *const *)b)->name);
}

static void collect_inputs(Linker *l, Node *node)
{
    size_t most = node->reference_count + node->depends_on_count, count = 0;
    if (most == 0)
        return;
    Node **inputs = arena_array(&l->reading->project->arena, most, sizeof *inputs);
    for (size_t i = 0; i < node->reference_count; i++)
        if (node->references[i].node)
            inputs[count++] = node->references[i].node;
    for (size_t i = 0; i < node->depends_on_count; i++)
        if (node->depends_on[i].node)
            inputs[count++] = node->depends_on[i].node;
    qsort(inputs, count, sizeof *inputs, compare_nodes);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || inputs[i] != inputs[i - 1])
            inputs[node->input_count++] = inputs[i];
    node->inputs = inputs;
}

void graph_link(Reading *reading)
{
    Project *project = reading->project;
    Linker l = {.reading = reading, .relations = {.arena = &reading->scratch}, .warned = {.arena = &reading->scratch}};
    l.budget = NEAREST_BUDGET;
    if (project->node_count == 0)
        return;
    qsort(project->nodes, project->node_count, sizeof *project->nodes, compare_nodes);
    index_relations(&l);
    for (size_t i = 0; i < project->node_count; i++) {
        Node *node = project->nodes[i];
        link_references(&l, node);
        link_depends_on(&l, node);
        for (size_t k = 0; k < node->check_count; k++) {
            if (node->checks[k].to)
                link_relationship(&l, node, &node->checks[k]);
            link_check_sql(&l, node, &node->checks[k]);
        }
        collect_inputs(&l, node);
    }
    order_nodes(reading);
    arena_clear(&reading->scratch);
}
