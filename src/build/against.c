#include "build/against.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/unified.h"
#include "build/declared.h"
#include "build/leftover.h"
#include "build/query.h"
#include "pg/rows.h"
#include "publish/table.h"
#include "record/array.h"
#include "record/ledger.h"
#include "record/statements.h"

enum { PROJECT, MATERIALIZED, DEFINITION, DECLARED, SQL, EXISTS }; /* columns of sql/against.sql */

typedef struct Comparing {
    Conn *conn;
    const Project *project;
    const Selection *selection;
    Arena *arena;
    Against *ret;
} Comparing;

const char *against_state_name(AgainstState state)
{
    static const char *const names[] = {
        [AGAINST_SAME] = "same",     [AGAINST_DIFFERS] = "differs",    [AGAINST_NEW] = "new",
        [AGAINST_INLINE] = "inline", [AGAINST_EXTERNAL] = "of others", [AGAINST_LEFT_OVER] = "left over",
    };
    return names[state];
}

static AgainstNode *add(Against *ret, const Node *node, AgainstState state)
{
    AgainstNode *added = &ret->nodes[ret->count++];
    *added =
        (AgainstNode){.node = node, .name = node->name, .schema = node->schema, .table = node->table, .state = state};
    return added;
}

static void tell(Comparing *comparing, AgainstNode *about, const char *difference)
{
    enum { DIFFERENCES_MAX = 4 };
    Strings *list = &about->differences;
    if (!list->items)
        list->items = arena_array(comparing->arena, DIFFERENCES_MAX, sizeof *list->items);
    if (list->count < DIFFERENCES_MAX)
        list->items[list->count++] = difference;
}

/* --- one node -------------------------------------------------------------------------------------------------- */

static void compare_sql(Comparing *comparing, AgainstNode *about, const char *definition, const char *sql)
{
    const Node *node = about->node;
    if (!definition) {
        tell(comparing, about, "SQL: no build is on record there");
        return;
    }
    if (str_eq(definition, query_definition(comparing->project, node, comparing->arena)))
        return;
    if (!sql) {
        tell(comparing, about, "SQL: an older program built it there, and did not record the text");
        return;
    }
    char *own CLEANUP(mem_free_p) = log_redacted(query_sql(comparing->project, node, comparing->arena));
    TEXT_AUTO(diff);
    bool shown = unified_diff((UnifiedSide){sql, 1}, (UnifiedSide){own, node->sql_line}, &diff);
    about->sql = shown && diff.len ? arena_strdup(comparing->arena, text_str(&diff)) : NULL;
    tell(comparing, about, about->sql ? "SQL" : shown ? "SQL: in a secret" : "SQL: in too many lines to show");
}

static void compare_known(Comparing *comparing, AgainstNode *about, const Rows *rows, int row)
{
    const Node *node = about->node;
    Arena *arena = comparing->arena;
    const char *there = rows_get(rows, row, MATERIALIZED), *declared = rows_get(rows, row, DECLARED);
    if (node->kind == NODE_MODEL) {
        const char *here = materialized_name(node->materialized);
        compare_sql(comparing, about, rows_get(rows, row, DEFINITION), rows_get(rows, row, SQL));
        if (!str_eq(there, here))
            tell(comparing, about, arena_printf(arena, "materialized: %s there, %s here", there, here));
    }
    if (declared && !str_eq(declared, declared_hash(node, arena)))
        tell(comparing, about,
             node->kind == NODE_MODEL ? "keys, checks, indexes, grants or descriptions"
                                      : "columns, keys, checks, indexes, grants or descriptions");
    about->state = about->differences.count ? AGAINST_DIFFERS : AGAINST_SAME;
}

static void compare_node(Comparing *comparing, const Node *node, const Rows *rows, int row)
{
    AgainstNode *about = add(comparing->ret, node, AGAINST_NEW);
    const char *project = rows_get(rows, row, PROJECT);
    bool exists = rows_bool(rows, row, EXISTS);
    if (project && !str_eq(project, comparing->project->name))
        tell(comparing, about, arena_printf(comparing->arena, "one of project %s is there", project));
    else if (!project && exists)
        tell(comparing, about, "one that sluice did not make is there");
    else if (project && !exists)
        tell(comparing, about, "it was made there, and somebody has dropped it");
    else if (project)
        compare_known(comparing, about, rows, row);
}

static bool compare_external(Comparing *comparing, const Node *node, Error *err)
{
    Table table;
    if (!table_find(comparing->conn, node->schema, node->table, comparing->arena, &table, err))
        return false;
    AgainstNode *about = add(comparing->ret, node, table.exists ? AGAINST_EXTERNAL : AGAINST_NEW);
    if (!table.exists)
        tell(comparing, about, "others are to make it there");
    return true;
}

/* --- all of them ----------------------------------------------------------------------------------------------- */

static bool has_record(const Node *node) { return !node_is_ephemeral(node) && !node_is_external(node); }

static bool ask(Comparing *comparing, Rows **ret_rows, Error *err)
{
    const Project *project = comparing->project;
    ARRAY_AUTO(schemas);
    ARRAY_AUTO(tables);
    for (size_t i = 0; i < project->node_count; i++) {
        if (!comparing->selection->chosen[i] || !has_record(project->nodes[i]))
            continue;
        array_add(&schemas, project->nodes[i]->schema);
        array_add(&tables, project->nodes[i]->table);
    }
    return conn_query(comparing->conn, sql_against, 2, (const char *const[]){array_str(&schemas), array_str(&tables)},
                      ret_rows, err);
}

static bool compare_nodes(Comparing *comparing, Error *err)
{
    const Project *project = comparing->project;
    ROWS_AUTO(rows);
    if (comparing->ret->ledger && !ask(comparing, &rows, err))
        return false;
    int row = 0;
    for (size_t i = 0; i < project->node_count; i++) {
        const Node *node = project->nodes[i];
        if (!comparing->selection->chosen[i])
            continue;
        if (node_is_ephemeral(node))
            add(comparing->ret, node, AGAINST_INLINE);
        else if (node_is_external(node)) {
            if (!compare_external(comparing, node, err))
                return false;
        } else if (comparing->ret->ledger)
            compare_node(comparing, node, rows, row++);
        else
            add(comparing->ret, node, AGAINST_NEW);
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const Node *const *)a)->name, (*(const Node *const *)b)->name);
}

/* What a node reads comes before it in the project's order, so one pass finds all that lies downstream. */
static void find_downstream(Comparing *comparing, AgainstNode *about)
{
    const Project *project = comparing->project;
    bool *marked CLEANUP(mem_free_p) = mem_alloc(project->node_count + 1);
    marked[about->node->order] = true;
    size_t count = 0;
    for (size_t i = about->node->order + 1; i < project->node_count; i++) {
        const Node *node = project->nodes[i];
        for (size_t j = 0; j < node->input_count; j++)
            marked[i] = marked[i] || marked[node->inputs[j]->order];
        count += marked[i] && !node_is_ephemeral(node);
    }
    about->downstream = arena_array(comparing->arena, count, sizeof(const Node *));
    for (size_t i = about->node->order + 1; i < project->node_count; i++)
        if (marked[i] && !node_is_ephemeral(project->nodes[i]))
            about->downstream[about->downstream_count++] = project->nodes[i];
    qsort(about->downstream, about->downstream_count, sizeof(const Node *), by_name);
}

static bool find_left_over(Comparing *comparing, Error *err)
{
    Against *ret = comparing->ret;
    Leftover *left;
    size_t count;
    if (!leftover_find(comparing->conn, comparing->project, comparing->arena, &left, &count, err))
        return false;
    AgainstNode *nodes = arena_array(comparing->arena, ret->count + count, sizeof *nodes);
    memcpy(nodes, ret->nodes, ret->count * sizeof *nodes);
    ret->nodes = nodes;
    for (size_t i = 0; i < count; i++)
        nodes[ret->count++] = (AgainstNode){
            .name = left[i].node, .schema = left[i].schema, .table = left[i].table, .state = AGAINST_LEFT_OVER};
    return true;
}

static bool compare_all(Comparing *comparing, Error *err)
{
    Against *ret = comparing->ret;
    ret->nodes = arena_array(comparing->arena, comparing->project->node_count, sizeof *ret->nodes);
    if (!ledger_exists(comparing->conn, &ret->ledger, err) || !compare_nodes(comparing, err))
        return false;
    for (size_t i = 0; i < ret->count; i++)
        if (ret->nodes[i].state == AGAINST_DIFFERS)
            find_downstream(comparing, &ret->nodes[i]);
    return !ret->ledger || find_left_over(comparing, err);
}

bool against_make(Conn *conn, const Project *project, const Selection *selection, Arena *arena, Against *ret,
                  Error *err)
{
    *ret = (Against){0};
    Comparing comparing = {.conn = conn, .project = project, .selection = selection, .arena = arena, .ret = ret};
    TxnOptions txn = {.timezone = project->timezone, .repeatable_read = true, .read_only = true};
    bool good = conn_begin(conn, &txn, err) && compare_all(&comparing, err);
    conn_rollback(conn);
    return good;
}
