#include "build/plan.h"

#include "base/clock.h"
#include "base/file.h"
#include "build/due.h"
#include "build/own.h"
#include "build/query.h"
#include "pg/rows.h"
#include "publish/table.h"
#include "record/ledger.h"

static const char *inputs_of(const Node *node, Arena *arena)
{
    TEXT_AUTO(names);
    for (size_t i = 0; i < node->input_count; i++)
        text_appendf(&names, "%s%s", i ? ", " : "", node->inputs[i]->name);
    return names.len ? arena_printf(arena, "; reads %s", text_str(&names)) : "";
}

static PlanStep plan_source(const Node *node, const Table *table, Arena *arena)
{
    if (!node->csv)
        return (PlanStep){node, node_has_checks(node) ? "check" : "skip", "others write this table"};
    static const char *const modes[] = {
        [LOAD_UPSERT] = "rows with a known key are updated where they differ, new ones are added",
        [LOAD_REPLACE] = "the table is made to hold what the file holds; only rows that differ are written",
        [LOAD_APPEND] = "the file's rows are added, unless it is the file appended last",
    };
    const char *what = table->exists ? modes[node->mode] : "the table is not there yet";
    return (PlanStep){node, "load", arena_printf(arena, "from %s: %s", node->csv_shown, what)};
}

static PlanStep plan_model(const Project *project, const Node *node, const Table *table, const LedgerRelation *known,
                           Arena *arena)
{
    const char *inputs = inputs_of(node, arena);
    switch (node->materialized) {
    case MATERIALIZED_EPHEMERAL:
        return (PlanStep){node, "inline", arena_printf(arena, "stands inside the models that read it%s", inputs)};
    case MATERIALIZED_VIEW:
        if (table->exists && str_eq(known->definition, query_definition(project, node, arena)))
            return (PlanStep){node, "view", arena_printf(arena, "stays: its definition is the same%s", inputs)};
        return (PlanStep){
            node, "view",
            arena_printf(arena, "%s%s", table->exists ? "replaced: its definition changed" : "new", inputs)};
    case MATERIALIZED_HISTORY:
        return (PlanStep){node, "append", arena_printf(arena, "every run keeps its rows%s", inputs)};
    case MATERIALIZED_TABLE:
    case MATERIALIZED_INCREMENTAL:
        break;
    }
    const char *what =
        table->exists ? "recomputed in full; only rows that differ are written" : "the table is not there yet";
    return (PlanStep){node, "build", arena_printf(arena, "%s%s", what, inputs)};
}

/* Names of columns that the node has and the table does not, as far as the files tell. */
static bool same_names(const Node *node, const Table *table, Text *ret_why)
{
    size_t count = node->kind == NODE_SOURCE ? node->column_count : node->output.count;
    bool known = table->exists && count > 0 && (table->relkind == 'r' || table->relkind == 'p');
    for (size_t i = 0; known && i < count; i++) {
        const char *name = node->kind == NODE_SOURCE ? node->columns[i].name : node->output.items[i];
        if (!table_column(table, name))
            text_appendf(ret_why, "%s%s", ret_why->len ? ", " : "", name);
    }
    return ret_why->len == 0;
}

/* Why the step would fail at once, as far as can be told without doing it; NULL where it would not. */
static const char *obstacle(Conn *conn, const Project *project, const Node *node, const Table *table,
                            const LedgerRelation *known, Arena *arena)
{
    ERROR_AUTO(err);
    TEXT_AUTO(names);
    if (!own_check(project, node, table, known, &err))
        return arena_printf(arena, "%s; %s", err.message, err.hint);
    if (node->csv && !file_exists(node->csv))
        return arena_printf(arena, "%s is not there", node->csv_shown);
    if (!node_is_external(node) && !same_names(node, table, &names))
        return arena_printf(arena, "the table has no column %s: a run says how to add it", text_str(&names));
    ROWS_AUTO(rows);
    bool asked = !table->exists && !node_is_ephemeral(node) &&
                 conn_query(conn, "select 1 from pg_catalog.pg_namespace where nspname = $1", 1,
                            (const char *const[]){node->schema}, &rows, &err);
    return asked && rows_count(rows) == 0 ? arena_printf(arena, "the schema %s is not there", node->schema) : NULL;
}

typedef struct Planning {
    Conn *conn;
    const Project *project;
    bool ledger; /* there is one */
    bool due;
    Instant now;
    Arena *arena;
} Planning;

static bool plan_node(const Planning *planning, const Node *node, Plan *ret, Error *err)
{
    Arena *arena = planning->arena;
    Table table;
    LedgerRelation known = {0};
    if (!table_find(planning->conn, node->schema, node->table, arena, &table, err) ||
        (planning->ledger && !ledger_relation(planning->conn, node->schema, node->table, arena, &known, err)))
        return false;
    Instant tick;
    if (planning->due && !due_tick(node, &known, planning->now, &tick))
        return true;
    PlanStep step = node->kind == NODE_SOURCE ? plan_source(node, &table, arena)
                                              : plan_model(planning->project, node, &table, &known, arena);
    const char *why = obstacle(planning->conn, planning->project, node, &table, &known, arena);
    ret->steps[ret->step_count++] = why ? (PlanStep){node, "fail", why} : step;
    return true;
}

static bool has_relation(const Project *project, const char *schema, const char *table)
{
    for (size_t i = 0; i < project->node_count; i++) {
        const Node *node = project->nodes[i];
        if (!node_is_ephemeral(node) && str_eq(node->schema, schema) && str_eq(node->table, table))
            return true;
    }
    return false;
}

static bool find_leftovers(Conn *conn, const Project *project, Arena *arena, Plan *ret, Error *err)
{
    ROWS_AUTO(rows);
    if (!ledger_relations(conn, project->name, project->target.name, &rows, err))
        return false;
    ret->leftovers = arena_array(arena, (size_t)rows_count(rows), sizeof(Leftover));
    for (int i = 0; i < rows_count(rows); i++) {
        bool by_hand = str_eq(rows_get(rows, i, 3), "load"); /* `sluice load` of a file that is no source */
        if (by_hand || has_relation(project, rows_get(rows, i, 0), rows_get(rows, i, 1)))
            continue;
        ret->leftovers[ret->leftover_count++] = (Leftover){
            .schema = arena_strdup(arena, rows_get(rows, i, 0)),
            .table = arena_strdup(arena, rows_get(rows, i, 1)),
            .node = arena_strdup(arena, rows_get(rows, i, 2)),
            .materialized = arena_strdup(arena, rows_get(rows, i, 4)),
        };
    }
    return true;
}

bool plan_make(Conn *conn, const Project *project, const Selection *selection, bool due, Arena *arena, Plan *ret,
               Error *err)
{
    Planning planning = {.conn = conn, .project = project, .due = due, .now = clock_now(), .arena = arena};
    *ret = (Plan){.steps = arena_array(arena, project->node_count, sizeof(PlanStep))};
    if (!ledger_exists(conn, &planning.ledger, err))
        return false;
    for (size_t i = 0; i < project->node_count; i++)
        if (selection->chosen[i] && !plan_node(&planning, project->nodes[i], ret, err))
            return false;
    return !planning.ledger || find_leftovers(conn, project, arena, ret, err);
}
