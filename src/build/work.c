#include "build/work.h"

#include "base/log.h"
#include "build/declared.h"
#include "build/guard.h"
#include "pg/rows.h"
#include "publish/undo.h"
#include "record/statements.h"

void work_count(Work *work, int64_t inserted, int64_t updated, int64_t deleted)
{
    StepResult *result = work->result;
    result->inserted = inserted;
    result->updated = updated;
    result->deleted = deleted;
    result->outcome = inserted || updated || deleted ? STEP_OK : STEP_UNCHANGED;
}

bool work_survey(Work *work, Error *err)
{
    const Build *build = work->build;
    bool *chosen CLEANUP(mem_free_p) = mem_alloc(build->project->node_count + 1);
    chosen[work->node->order] = true;
    return survey_take(build->conn, build->project, chosen, true, build->survey, work->arena, &work->survey, err);
}

/* --- checks ---------------------------------------------------------------------------------------------------- */

static bool names_time(const char *time_column, const Check *check)
{
    for (size_t i = 0; i < check->columns.count; i++)
        if (str_eq(check->columns.items[i], time_column))
            return true;
    return false;
}

bool work_needs_whole(const char *time_column, const Check *check)
{
    switch (check->kind) {
    case CHECK_UNIQUE:
        return !names_time(time_column, check);
    case CHECK_ROW_COUNT:
    case CHECK_FRESHNESS:
    case CHECK_SQL:
        return true;
    default:
        return false;
    }
}

static size_t pick_checks(const Work *work, const Check *all, size_t count, bool whole, Check *ret)
{
    size_t picked = 0;
    for (size_t i = 0; i < count; i++) {
        bool wanted = !work->only_restless || check_is_restless(&all[i]);
        if (wanted && whole == (work->whole && work_needs_whole(work->decided.time_column, &all[i])))
            ret[picked++] = all[i];
    }
    return picked;
}

static void join_results(Arena *arena, CheckResults *results, const CheckResults *more)
{
    CheckResult *items = arena_array(arena, results->count + more->count, sizeof *items);
    for (size_t i = 0; i < results->count; i++)
        items[i] = results->items[i];
    for (size_t i = 0; i < more->count; i++)
        items[results->count + i] = more->items[i];
    results->items = items;
    results->count += more->count;
    results->failed += more->failed;
    results->warnings += more->warnings;
}

static bool run_checks_on(Work *work, CheckTarget *target, const Check *all, size_t count, CheckResults *ret,
                          Error *err)
{
    Conn *conn = work->build->conn;
    Check *picked = arena_array(work->arena, count, sizeof *picked);
    size_t here = pick_checks(work, all, count, false, picked);
    if (!checks_run(conn, target, picked, here, work->arena, ret, err))
        return false;
    if (!work->whole)
        return true;
    CheckResults more;
    Check *others = arena_array(work->arena, count, sizeof *others);
    size_t rest = pick_checks(work, all, count, true, others);
    target->quoted = work->whole;
    if (!checks_run(conn, target, others, rest, work->arena, &more, err))
        return false;
    join_results(work->arena, ret, &more);
    return true;
}

bool work_check(Work *work, const char *quoted, const char *filter, bool fresh_load, const Load *load, Error *err)
{
    log_progress("checking rows");
    size_t count;
    Check *checks = checks_of(work->node, work->arena, &count);
    CheckTarget target = {.quoted = quoted,
                          .filter = filter,
                          .fresh_load = fresh_load,
                          .node = work->node,
                          .now = work->build->started_at};
    if (work->target.exists && work->node->kind == NODE_SOURCE && work->node->csv && work->node->mode != LOAD_REPLACE)
        target.beside = work->target.quoted;
    if (work->key_stands)
        target.key = &work->node->unique_key;
    CheckResults results;
    if (!run_checks_on(work, &target, checks, count, &results, err))
        return false;
    work->result->checks = results;
    if (results.failed + results.warnings > 0 && load && !load_find_lines(load, &results, err))
        return false;
    return checks_error(&results, work->target.schema, work->target.name, load ? load->shown : NULL, err);
}

/* --- keys and columns ------------------------------------------------------------------------------------------ */

static bool add_key(Work *work, const char *quoted, Error *err)
{
    const Strings *key = &work->node->unique_key;
    TEXT_AUTO(sql);
    text_appendf(&sql, "alter table %s add primary key (", quoted);
    if (!table_names(work->build->conn, key, "", "", ", ", &sql, err))
        return false;
    text_append(&sql, ")");
    return conn_exec(work->build->conn, text_str(&sql), err);
}

bool work_try_key(Work *work, const char *quoted, Error *err)
{
    Conn *conn = work->build->conn;
    if (work->node->unique_key.count == 0)
        return true;
    if (!conn_exec(conn, "savepoint sluice_key", err))
        return false;
    work->key_stands = add_key(work, quoted, err);
    if (work->key_stands)
        return conn_exec(conn, "release savepoint sluice_key", err);
    if (err->code != ERROR_FAILED)
        return false;
    error_clear(err);
    return conn_exec(conn, "rollback to savepoint sluice_key; release savepoint sluice_key", err);
}

bool work_add_key(Work *work, const Table *table, Error *err)
{
    return work->key_stands || work->node->unique_key.count == 0 || add_key(work, table->quoted, err);
}

/* A table made anew would lose rows that no run can bring back. */
static bool accumulates(const Node *node)
{
    return node->kind == NODE_SOURCE ? node->mode != LOAD_REPLACE : node->materialized == MATERIALIZED_HISTORY;
}

bool work_fit_columns(Work *work, Table *stage, const char *ignored, Error *err)
{
    const Node *node = work->node;
    TEXT_AUTO(statements);
    if (table_alter_columns(work->build->conn, node->on_schema_change, ignored, work->arena, stage, &work->target,
                            &work->altered, &statements, err)) {
        work->alteration = work->altered ? arena_strdup(work->arena, text_str(&statements)) : NULL;
        return true;
    }
    if (err->code != ERROR_FAILED || node->on_schema_change != SCHEMA_FAIL || !statements.len)
        return false;
    if (accumulates(node))
        return error_hint(err, "%s; sluice drop would lose the rows it has gathered", text_str(&statements));
    const char *keys = node->kind == NODE_MODEL ? "on_schema_change says what else to do; " : "";
    return error_hint(err, "%s%s; or sluice drop %s, and the next run makes it anew", keys, text_str(&statements),
                      node->name);
}

const char *work_time_column(const Work *work, SqlTimeType *ret_type)
{
    const char *name = work->node->time_column ? work->node->time_column : work->decided.time_column;
    const TableColumn *column = name ? table_column(&work->target, name) : NULL;
    *ret_type = column ? sql_time_type(column->type) : SQL_TIME_NONE;
    return *ret_type == SQL_TIME_NONE ? NULL : name;
}

bool work_date_rows(Work *work, Error *err)
{
    Conn *conn = work->build->conn;
    SqlTimeType type;
    Table *target = &work->target;
    bool existed = target->exists; /* when the step began */
    if (!table_find(conn, target->schema, target->name, work->arena, target, err))
        return false;
    target->exists = existed;
    if (target->column_count == 0) { /* PostgreSQL has such tables, but nothing tells their rows apart */
        error_set(err, ERROR_FAILED, "the result has no columns");
        return error_hint(err, "select at least one");
    }
    const char *name = work_time_column(work, &type);
    work->made_time_column = name;
    if (!name || !(work->node->kind == NODE_SOURCE || work->node->materialized == MATERIALIZED_INCREMENTAL))
        return true;
    ROWS_AUTO(rows);
    if (!conn_query(conn, sql_index_leads, 2, (const char *const[]){target->quoted, name}, &rows, err))
        return false;
    if (rows_bool(rows, 0, 0))
        return true;
    TEXT_AUTO(sql);
    return conn_format(conn, &sql, err, "create index on %s (%I)", target->quoted, name) &&
           conn_exec(conn, text_str(&sql), err);
}

/* --- writing --------------------------------------------------------------------------------------------------- */

void work_touch_everything(Work *work)
{
    work->touched = (ChangeEntry){
        .schema = work->target.schema,
        .table = work->target.name,
        .step_id = work->step->step_id,
        .everything = true,
    };
}

static void note_touched(Work *work, const Diff *diff)
{
    if (diff_is_empty(diff))
        return;
    work->touched = (ChangeEntry){
        .schema = work->target.schema,
        .table = work->target.name,
        .step_id = work->step->step_id,
        .ranges = diff->ranges,
        .nulls = diff->nulls,
        .everything = diff->everything,
    };
}

bool work_keep(Work *work, const Diff *diff, Error *err)
{
    const int publishes = work->node->rollback;
    return publishes == 0 || work->step->chunk ||
           undo_keep(work->build->conn, diff, work->step->step_id, publishes, err);
}

bool work_write(Work *work, Diff *diff, Error *err)
{
    Conn *conn = work->build->conn;
    const DiffCounts *counts = &diff->counts;
    log_progress("writing what differs");
    if (!guard_shrink(work, diff, err) || !(work->dry || (work_keep(work, diff, err) && diff_write(conn, diff, err))) ||
        !diff_drop(conn, diff, err))
        return false;
    work_count(work, counts->inserted, counts->updated, counts->deleted);
    note_touched(work, diff);
    if (work->known.total >= 0)
        work->total = work->known.total + counts->inserted - counts->deleted;
    return true;
}
