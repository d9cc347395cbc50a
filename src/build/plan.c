#include "build/plan.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/file.h"
#include "build/decide.h"
#include "build/dry.h"
#include "build/due.h"
#include "build/own.h"
#include "build/query.h"
#include "pg/rows.h"
#include "publish/table.h"
#include "record/ledger.h"

typedef struct Planning {
    Conn *conn;
    const Project *project;
    const PlanOptions *options;
    Survey survey;
    const Touched **planned; /* by order: what the steps planned so far would touch */
    const Node **failing;    /* by order: the step that would fail, itself or one that it needs; NULL: none */
    const Table *table;      /* of the node that is being planned, as it stands */
    Instant now;
    Arena *arena;
} Planning;

static void planning_clear(Planning *planning)
{
    survey_clear(&planning->survey);
    mem_free_p(&planning->planned);
    mem_free_p(&planning->failing);
}

static const char *inputs_of(const Node *node, Arena *arena)
{
    TEXT_AUTO(names);
    for (size_t i = 0; i < node->input_count; i++)
        text_appendf(&names, "%s%s", i ? ", " : "", node->inputs[i]->name);
    return names.len ? arena_printf(arena, "; reads %s", text_str(&names)) : "";
}

static PlanStep step_of(const Node *node, const char *action, const char *why)
{
    return (PlanStep){.node = node, .action = action, .touched = "", .why = why};
}

static const char *times(const Touched *touched, SqlTimeType type, Arena *arena)
{
    TEXT_AUTO(text);
    decide_times(touched, type, &text);
    return arena_strdup(arena, text_str(&text));
}

static void will_touch(Planning *planning, const Node *node, const Touched *touched)
{
    Touched *kept = arena_alloc(planning->arena, sizeof *kept);
    *kept = *touched;
    planning->planned[node->order] = kept;
}

/* --- sources --------------------------------------------------------------------------------------------------- */

static const char *failure(const Error *err, Arena *arena)
{
    TEXT_AUTO(text);
    error_place_text(err, &text);
    return arena_printf(arena, "%s%s%s", text_str(&text), text.len ? ": " : "", err->message);
}

static PlanStep plan_changed_file(Planning *planning, const Node *node, const DryLoad *dry)
{
    Arena *arena = planning->arena;
    const SqlRelationFacts *facts = &planning->survey.nodes[node->order]->relation->facts;
    if (touched_nothing(&dry->touched))
        return step_of(node, "load",
                       arena_printf(arena, "from %s: %s, and no row differs", node->csv_shown,
                                    planning->options->full_refresh ? "read anew" : "the file changed"));
    will_touch(planning, node, &dry->touched);
    PlanStep step = step_of(
        node, "load",
        arena_printf(arena, "from %s: %" PRId64 " row%s to add, %" PRId64 " to change, %" PRId64 " to delete",
                     node->csv_shown, dry->inserted, dry->inserted == 1 ? "" : "s", dry->updated, dry->deleted));
    if (facts->time_column)
        step.touched = times(&dry->touched, facts->time_type, arena);
    return step;
}

static PlanStep plan_file(Planning *planning, const Node *node)
{
    static const Touched everything = {.everything = true};
    Arena *arena = planning->arena;
    const SurveyRelation *relation = planning->survey.nodes[node->order]->relation;
    if (!relation->relkind) {
        will_touch(planning, node, &everything);
        return step_of(node, "load", arena_printf(arena, "from %s: the table is not there yet", node->csv_shown));
    }
    DryLoad dry;
    ERROR_AUTO(err);
    bool told =
        dry_load(planning->conn, planning->project, relation, planning->options->full_refresh, arena, &dry, &err);
    if (told && dry.same)
        return step_of(node, "skip", arena_printf(arena, "%s is the file that was loaded last", node->csv_shown));
    if (told)
        return plan_changed_file(planning, node, &dry);
    will_touch(planning, node, &everything);
    if (str_eq(err.sqlstate, "42501") || str_eq(err.sqlstate, "25006")) /* may not write, or on a standby */
        return step_of(
            node, "load",
            arena_printf(arena, "from %s: what it would touch cannot be told: %s", node->csv_shown, err.message));
    return step_of(node, "fail", failure(&err, arena));
}

static PlanStep plan_source(Planning *planning, const Node *node)
{
    static const char *const ways[] = {
        [CHANGES_UNKNOWN] = "others write this table",
        [CHANGES_TRIGGER] = "others write this table; its triggers say what changed",
        [CHANGES_COLUMN] = "others write this table; its rows say when they changed",
    };
    if (node->csv)
        return plan_file(planning, node);
    return step_of(node, node_has_checks(node) ? "check" : "skip", ways[node->changes]);
}

/* --- models ---------------------------------------------------------------------------------------------------- */

static bool gives(const Node *node, const char *column)
{
    for (size_t i = 0; i < node->output.count; i++)
        if (str_eq(node->output.items[i], column))
            return true;
    return false;
}

/* What on_schema_change will do to the columns, as far as the text tells which there are; "" for nothing. */
static const char *column_changes(const Node *node, const Table *table, Arena *arena)
{
    bool adds = node->on_schema_change == SCHEMA_APPEND_NEW || node->on_schema_change == SCHEMA_SYNC_ALL;
    TEXT_AUTO(text);
    if (!table->exists || node->output.count == 0 || !adds)
        return "";
    for (size_t i = 0; i < node->output.count; i++)
        if (!table_column(table, node->output.items[i]))
            text_appendf(&text, "; adds the column %s", node->output.items[i]);
    for (size_t i = 0; i < table->column_count && node->on_schema_change == SCHEMA_SYNC_ALL; i++)
        if (!table->columns[i].generated && !gives(node, table->columns[i].name))
            text_appendf(&text, "; drops the column %s, with its values", table->columns[i].name);
    return text.len ? arena_strdup(arena, text_str(&text)) : "";
}

static PlanStep plan_rows(Planning *planning, const Node *node)
{
    DecideOptions options = {.full_refresh = planning->options->full_refresh, .planned = planning->planned};
    Decided decided;
    decide(&planning->survey, node, &options, &decided);
    const char *columns = column_changes(node, planning->table, planning->arena);
    PlanStep step = step_of(node, decision_name(decided.kind),
                            *columns ? arena_printf(planning->arena, "%s%s", decided.why, columns) : decided.why);
    step.place = decided.place;
    if (decided.kind == DECISION_RANGE || decided.kind == DECISION_FROM)
        step.touched = times(&decided.touched, decided.time_type, planning->arena);
    if (decided.kind != DECISION_SKIP)
        will_touch(planning, node, &decided.touched);
    return step;
}

static PlanStep plan_model(Planning *planning, const Node *node)
{
    Arena *arena = planning->arena;
    const SurveyRelation *relation = planning->survey.nodes[node->order]->relation;
    const char *inputs = inputs_of(node, arena);
    static const Touched everything = {.everything = true};
    switch (node->materialized) {
    case MATERIALIZED_EPHEMERAL:
        return step_of(node, "inline", arena_printf(arena, "stands inside the models that read it%s", inputs));
    case MATERIALIZED_VIEW:
        if (relation->relkind && !relation->stale &&
            str_eq(relation->known.definition, query_definition(planning->project, node, arena)))
            return step_of(node, "view", arena_printf(arena, "stays: its definition is the same%s", inputs));
        return step_of(
            node, "view",
            arena_printf(arena, "%s%s", relation->relkind ? "replaced: its definition changed" : "new", inputs));
    case MATERIALIZED_HISTORY:
        will_touch(planning, node, &everything);
        return step_of(node, "append", arena_printf(arena, "every run keeps its rows%s", inputs));
    case MATERIALIZED_TABLE:
    case MATERIALIZED_INCREMENTAL:
        break;
    }
    return plan_rows(planning, node);
}

/* --- what stands in the way ------------------------------------------------------------------------------------ */

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
    if (!node_is_external(node) && node->on_schema_change == SCHEMA_FAIL && !same_names(node, table, &names))
        return arena_printf(arena, "the table has no column %s: a run says how to add it", text_str(&names));
    ROWS_AUTO(rows);
    bool asked = !table->exists && !node_is_ephemeral(node) &&
                 conn_query(conn, "select 1 from pg_catalog.pg_namespace where nspname = $1", 1,
                            (const char *const[]){node->schema}, &rows, &err);
    return asked && rows_count(rows) == 0 ? arena_printf(arena, "the schema %s is not there", node->schema) : NULL;
}

static const Node *failing_input(const Planning *planning, const Node *node)
{
    for (size_t i = 0; i < node->input_count; i++)
        if (planning->failing[node->inputs[i]->order])
            return planning->failing[node->inputs[i]->order];
    return NULL;
}

static bool plan_node(Planning *planning, const Node *node, Plan *ret, Error *err)
{
    Arena *arena = planning->arena;
    const LedgerRelation *known = &planning->survey.nodes[node->order]->relation->known;
    Table table;
    Instant tick;
    if (planning->options->due && !due_tick(node, known, planning->now, &tick))
        return true;
    if (!table_find(planning->conn, node->schema, node->table, arena, &table, err))
        return false;
    planning->table = &table;
    const Node *failing = failing_input(planning, node);
    const char *why = obstacle(planning->conn, planning->project, node, &table, known, arena);
    PlanStep *step = &ret->steps[ret->step_count++];
    if (why)
        *step = step_of(node, "fail", why);
    else if (failing)
        *step = step_of(node, "blocked", arena_printf(arena, "%s would fail", failing->name));
    else
        *step = node->kind == NODE_SOURCE ? plan_source(planning, node) : plan_model(planning, node);
    planning->failing[node->order] = str_eq(step->action, "fail") ? node : failing;
    planning->table = NULL;
    return true;
}

static bool plan_all(Planning *planning, const Selection *selection, Plan *ret, Error *err)
{
    const Project *project = planning->project;
    bool ledger;
    if (!ledger_exists(planning->conn, &ledger, err) ||
        !survey_take(planning->conn, project, selection->chosen, ledger, NULL, planning->arena, &planning->survey, err))
        return false;
    for (size_t i = 0; i < project->node_count; i++)
        if (selection->chosen[i] && !plan_node(planning, project->nodes[i], ret, err))
            return false;
    return !ledger ||
           leftover_find(planning->conn, project, planning->arena, &ret->leftovers, &ret->leftover_count, err);
}

bool plan_make(Conn *conn, const Project *project, const Selection *selection, const PlanOptions *options, Arena *arena,
               Plan *ret, Error *err)
{
    Planning planning CLEANUP(planning_clear) = {
        .conn = conn, .project = project, .options = options, .now = clock_now(), .arena = arena};
    planning.planned = mem_alloc((project->node_count + 1) * sizeof *planning.planned);
    planning.failing = mem_alloc((project->node_count + 1) * sizeof *planning.failing);
    *ret = (Plan){.steps = arena_array(arena, project->node_count, sizeof(PlanStep))};
    TxnOptions txn = {.schema = project->target.schema,
                      .timezone = project->timezone,
                      .repeatable_read = true,
                      .lock_timeout = 10 * 1000};
    bool good = conn_begin(conn, &txn, err) && plan_all(&planning, selection, ret, err);
    conn_rollback(conn);
    return good;
}
