#include <inttypes.h>

#include "build/query.h"
#include "build/work.h"
#include "publish/diff.h"

static bool append_created_at(const Work *work, Text *sql, Error *err)
{
    char started[CLOCK_TEXT];
    clock_format_exact(work->build->started_at, started);
    return conn_format(work->build->conn, sql, err, "%L::pg_catalog.timestamptz", started);
}

static bool own_created_at(const Work *work, Error *err)
{
    error_at(err, ERROR_FAILED, work->node->place.file, work->node->sql_line, 0,
             "the query gives a column created_at of its own, where history has the run's timestamp");
    return error_hint(err, "name the query's columns, and give that one another name");
}

/* History tables are read by run and pruned by age: both want created_at indexed. */
static bool add_created_at(Work *work, Error *err)
{
    TEXT_AUTO(sql);
    text_appendf(&sql, "alter table %s add column created_at timestamptz not null default ", work->target.quoted);
    if (!append_created_at(work, &sql, err))
        return false;
    text_appendf(&sql, "; alter table %s alter column created_at drop default; create index on %s (created_at)",
                 work->target.quoted, work->target.quoted);
    if (conn_exec(work->build->conn, text_str(&sql), err))
        return true;
    return str_eq(err->sqlstate, "42701") ? own_created_at(work, err) : false;
}

static bool make_new(Work *work, Error *err)
{
    Conn *conn = work->build->conn;
    QUERY_AUTO(query);
    text_appendf(&query.text, "create table %s as ", work->target.quoted);
    int64_t rows;
    bool history = work->node->materialized == MATERIALIZED_HISTORY; /* its key is one of each run by itself */
    if (!query_append(conn, work->build->project, work->node, work->arena, &query, err) ||
        !query_run(conn, &query, &rows, err) || !(history || work_try_key(work, work->target.quoted, err)) ||
        !work_check(work, work->target.quoted, NULL, false, NULL, err))
        return false;
    work_count(work, rows, 0, 0);
    work->result->outcome = STEP_OK;
    work->result->total = work->total = rows;
    work->result->reason = "new table";
    return history ? add_created_at(work, err) : work_add_key(work, &work->target, err);
}

static bool append_run(Work *work, const Table *stage, Diff *diff, Error *err)
{
    if (table_column(stage, "created_at"))
        return own_created_at(work, err);
    TEXT_AUTO(value);
    text_append(&value, ", ");
    DiffScope scope = {.number = work->step->step_id};
    if (!append_created_at(work, &value, err) ||
        !diff_find_append(work->build->conn, stage, &work->target, ", created_at", text_str(&value), &scope,
                          work->arena, diff, err) ||
        !diff_write(work->build->conn, diff, err))
        return false;
    TEXT_AUTO(prune);
    text_appendf(&prune, "delete from %s where created_at < ", work->target.quoted);
    if (!append_created_at(work, &prune, err))
        return false;
    text_appendf(&prune,
                 " - pg_catalog.make_interval(secs => %" PRId64 ") and created_at < (select max(created_at) from %s)",
                 work->node->keep / 1000000, work->target.quoted);
    return conn_exec_counted(work->build->conn, text_str(&prune), &diff->counts.deleted, err);
}

static bool publish_rows(Work *work, const Table *stage, Error *err)
{
    Conn *conn = work->build->conn;
    const Node *node = work->node;
    Diff diff;
    DiffScope scope = {.number = work->step->step_id, .delete_missing = true, .stage_rows = work->total};
    bool good;
    if (node->materialized == MATERIALIZED_HISTORY)
        good = append_run(work, stage, &diff, err);
    else
        good = diff_apply(conn, stage, &work->target, &node->unique_key, &scope, work->arena, &diff, err);
    if (!good)
        return false;
    work_count(work, diff.counts.inserted, diff.counts.updated, diff.counts.deleted);
    if (node->materialized == MATERIALIZED_HISTORY)
        work->result->outcome = STEP_OK;
    return true;
}

static bool remake(Work *work, Error *err)
{
    Conn *conn = work->build->conn;
    const Node *node = work->node;
    Table stage;
    QUERY_AUTO(query);
    if (!table_stage_name(conn, work->target.schema, work->step->step_id, work->arena, &stage, err))
        return false;
    text_appendf(&query.text, "create unlogged table %s as ", stage.quoted);
    int64_t rows;
    if (!query_append(conn, work->build->project, work->node, work->arena, &query, err) ||
        !query_run(conn, &query, &rows, err) || !(rows <= TABLE_SMALL || work_try_key(work, stage.quoted, err)) ||
        !work_check(work, stage.quoted, NULL, false, NULL, err) ||
        !table_find(conn, stage.schema, stage.name, work->arena, &stage, err) ||
        !work_same_columns(work, &stage, node->materialized == MATERIALIZED_HISTORY ? "created_at" : NULL, err))
        return false;
    work->result->total = work->total = rows;
    return table_stage_analyze(conn, &stage, rows, err) && publish_rows(work, &stage, err) &&
           table_stage_drop(conn, &stage, err);
}

bool work_model(Work *work, Error *err)
{
    work->definition = query_definition(work->build->project, work->node, work->arena);
    if (work->node->materialized == MATERIALIZED_VIEW)
        return work_view(work, err);
    bool good = work->target.exists ? remake(work, err) : make_new(work, err);
    if (!good && err->code == ERROR_FAILED && !err->file)
        error_place(err, work->node->place.file, work->node->place.line, 0);
    return good;
}
