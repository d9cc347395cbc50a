#include "build/plan.h"

#include "pg/rows.h"
#include "publish/table.h"
#include "record/ledger.h"
#include "schedule/agenda.h"

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
        return (PlanStep){node, node->check_count ? "check" : "skip", "others write this table"};
    static const char *const modes[] = {
        [LOAD_UPSERT] = "rows with a known key are updated where they differ, new ones are added",
        [LOAD_REPLACE] = "the table is made to hold what the file holds; only rows that differ are written",
        [LOAD_APPEND] = "the file's rows are added, unless it is the file appended last",
    };
    const char *what = table->exists ? modes[node->mode] : "the table is not there yet";
    return (PlanStep){node, "load", arena_printf(arena, "from %s: %s", node->csv_shown, what)};
}

static PlanStep plan_model(const Node *node, const Table *table, const LedgerRelation *known, Arena *arena)
{
    const char *inputs = inputs_of(node, arena);
    switch (node->materialized) {
    case MATERIALIZED_EPHEMERAL:
        return (PlanStep){node, "inline", arena_printf(arena, "stands inside the models that read it%s", inputs)};
    case MATERIALIZED_VIEW:
        if (table->exists && known->definition && str_starts(known->definition, node->sql_hash))
            return (PlanStep){node, "view", arena_printf(arena, "stays: its definition is the same%s", inputs)};
        return (PlanStep){
            node, "view",
            arena_printf(arena, "%s%s", table->exists ? "replaced: its definition changed" : "new", inputs)};
    case MATERIALIZED_HISTORY:
        return (PlanStep){node, "append", arena_printf(arena, "every run keeps its rows%s", inputs)};
    case MATERIALIZED_TABLE:
        break;
    }
    const char *what =
        table->exists ? "recomputed in full; only rows that differ are written" : "the table is not there yet";
    return (PlanStep){node, "build", arena_printf(arena, "%s%s", what, inputs)};
}

static bool is_due(const Node *node, const LedgerRelation *known)
{
    AgendaItem item = {
        .cron = &node->cron,
        .zone = node->zone,
        .has_tick = known->has_tick,
        .has_start = known->has_start,
        .last_tick = known->last_tick,
        .last_start = known->last_start,
    };
    Instant tick;
    return node->schedule && agenda_due(&item, clock_now(), &tick);
}

static bool plan_node(Conn *conn, const Node *node, bool ledger, bool due, Arena *arena, Plan *ret, Error *err)
{
    Table table;
    LedgerRelation known = {0};
    if (!table_find(conn, node->schema, node->table, arena, &table, err) ||
        (ledger && !ledger_relation(conn, node->schema, node->table, arena, &known, err)))
        return false;
    if (due && !is_due(node, &known))
        return true;
    PlanStep step =
        node->kind == NODE_SOURCE ? plan_source(node, &table, arena) : plan_model(node, &table, &known, arena);
    bool makes = node->kind == NODE_SOURCE ? node->csv != NULL : node->materialized != MATERIALIZED_EPHEMERAL;
    if (makes && table.exists && !known.known)
        step = (PlanStep){node, "fail",
                          arena_printf(arena, "%s.%s is there already, a %s that sluice did not make: sluice adopt %s",
                                       node->schema, node->table, relkind_name(table.relkind), node->name)};
    ret->steps[ret->step_count++] = step;
    return true;
}

static bool has_relation(const Project *project, const char *schema, const char *table)
{
    for (size_t i = 0; i < project->node_count; i++) {
        const Node *node = project->nodes[i];
        bool ephemeral = node->kind == NODE_MODEL && node->materialized == MATERIALIZED_EPHEMERAL;
        if (!ephemeral && str_eq(node->schema, schema) && str_eq(node->table, table))
            return true;
    }
    return false;
}

static bool find_leftovers(Conn *conn, const Project *project, Arena *arena, Plan *ret, Error *err)
{
    ROWS_AUTO(rows);
    if (!ledger_relations(conn, project->name, &rows, err))
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
    bool ledger;
    *ret = (Plan){.steps = arena_array(arena, project->node_count, sizeof(PlanStep))};
    if (!ledger_exists(conn, &ledger, err))
        return false;
    for (size_t i = 0; i < project->node_count; i++)
        if (selection->chosen[i] && !plan_node(conn, project->nodes[i], ledger, due, arena, ret, err))
            return false;
    return !ledger || find_leftovers(conn, project, arena, ret, err);
}
