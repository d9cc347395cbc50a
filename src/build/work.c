#include "build/work.h"

#include "base/log.h"

void work_count(Work *work, int64_t inserted, int64_t updated, int64_t deleted)
{
    StepResult *result = work->result;
    result->inserted = inserted;
    result->updated = updated;
    result->deleted = deleted;
    result->outcome = inserted || updated || deleted ? STEP_OK : STEP_UNCHANGED;
}

bool work_check(Work *work, const char *quoted, const char *filter, bool fresh_load, const Load *load, Error *err)
{
    size_t count;
    Check *checks = checks_of(work->node, work->arena, &count);
    CheckTarget target = {.quoted = quoted, .filter = filter, .fresh_load = fresh_load, .node = work->node};
    if (work->target.exists && work->node->kind == NODE_SOURCE && work->node->csv && work->node->mode != LOAD_REPLACE)
        target.beside = work->target.quoted;
    if (work->key_stands)
        target.key = &work->node->unique_key;
    CheckResults results;
    if (!checks_run(work->build->conn, &target, checks, count, work->arena, &results, err))
        return false;
    work->result->checks = results;
    if (results.failed + results.warnings > 0 && load && !load_find_lines(load, &results, err))
        return false;
    return checks_error(&results, work->target.schema, work->target.name, load ? load->shown : NULL, err);
}

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

bool work_same_columns(const Work *work, const Table *stage, const char *ignored, Error *err)
{
    TEXT_AUTO(statements);
    if (table_same_columns(work->build->conn, stage, &work->target, ignored, &statements, err))
        return true;
    if (err->code != ERROR_FAILED)
        return false;
    if (accumulates(work->node))
        return error_hint(err, "%s; sluice drop would lose the rows it has gathered", text_str(&statements));
    return error_hint(err, "%s; or sluice drop %s, and the next run makes it anew", text_str(&statements),
                      work->node->name);
}
