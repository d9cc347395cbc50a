#include "build/history.h"

#include <inttypes.h>

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
bool history_stamp_new(Work *work, Error *err)
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

static bool prune(Work *work, int64_t *ret_deleted, Error *err)
{
    TEXT_AUTO(sql);
    text_appendf(&sql, "delete from %s where created_at < ", work->target.quoted);
    if (!append_created_at(work, &sql, err))
        return false;
    text_appendf(&sql,
                 " - pg_catalog.make_interval(secs => %" PRId64 ") and created_at < (select max(created_at) from %s)",
                 work->node->keep / 1000000, work->target.quoted);
    return conn_exec_counted(work->build->conn, text_str(&sql), ret_deleted, err);
}

bool history_append(Work *work, const Table *stage, Error *err)
{
    if (table_column(stage, "created_at"))
        return own_created_at(work, err);
    TEXT_AUTO(value);
    DiffScope scope = {.number = work->step->step_id};
    Diff diff;
    if (!append_created_at(work, &value, err) ||
        !diff_find_append(work->build->conn, stage, &work->target, "created_at", text_str(&value), &scope, work->arena,
                          &diff, err) ||
        !work_keep(work, &diff, err) || !diff_write(work->build->conn, &diff, err) ||
        !prune(work, &diff.counts.deleted, err))
        return false;
    work_count(work, diff.counts.inserted, 0, diff.counts.deleted);
    work->result->outcome = STEP_OK;
    work_touch_everything(work);
    return true;
}
