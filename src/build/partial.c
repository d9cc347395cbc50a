#include "build/partial.h"

#include "base/log.h"
#include "build/shadowed.h"

/* For sorts and hash tables: most parts of a table fit into it. */
#define ROOM                                                                                                           \
    "pg_catalog.set_config('work_mem', greatest(65536, "                                                               \
    "pg_catalog.pg_size_bytes(pg_catalog.current_setting('work_mem')) / 1024)::text || 'kB', true)"

/* Names are wrong, types do not fit: what replacing a table by a part of its rows can do to a text. */
static bool is_refusal(const Error *err) { return err->code == ERROR_FAILED && str_starts(err->sqlstate, "42"); }

static bool stage_rows(Work *work, const Table *stage, int64_t *ret_rows, bool *ret_refused, Error *err)
{
    Conn *conn = work->build->conn;
    TEXT_AUTO(sql);
    text_appendf(&sql, "savepoint sluice_part; select " ROOM "; create table %s as ", stage->quoted);
    if (!shadowed_query(conn, &work->decided, &sql, err))
        return false;
    if (conn_exec_counted(conn, text_str(&sql), ret_rows, err))
        return conn_exec(conn, "release savepoint sluice_part", err);
    if (!is_refusal(err))
        return false;
    log_debug("%s: not on a part of its inputs: %s", work->node->name, err->message);
    error_clear(err);
    *ret_refused = true;
    return conn_exec(conn, "rollback to savepoint sluice_part; release savepoint sluice_part", err);
}

/* `t` without the touched times, and the stage: what the table will hold, for checks that look at all of it. */
static bool whole(Work *work, const Table *stage, const char *touched, Text *out, Error *err)
{
    TEXT_AUTO(columns);
    if (!table_column_list(work->build->conn, stage, "", &columns, err))
        return false;
    text_appendf(out, "(select %s from %s where (%s) is not true union all select %s from %s)", text_str(&columns),
                 work->target.quoted, touched, text_str(&columns), stage->quoted);
    return true;
}

static bool check_rows(Work *work, const Table *stage, const char *touched, Error *err)
{
    TEXT_AUTO(all);
    if (!whole(work, stage, touched, &all, err))
        return false;
    work->whole = text_str(&all);
    bool good = work_check(work, stage->quoted, NULL, false, NULL, err);
    work->whole = NULL;
    return good;
}

static bool publish(Work *work, const Table *stage, int64_t rows, const char *touched, Error *err)
{
    Conn *conn = work->build->conn;
    DiffScope scope = {
        .filter = touched,
        .delete_missing = true,
        .number = work->step->step_id,
        .stage_rows = rows,
    };
    Diff diff;
    scope.time_column = work_time_column(work, &scope.time_type);
    return diff_find(conn, stage, &work->target, &work->node->unique_key, &scope, work->arena, &diff, err) &&
           work_write(work, &diff, err);
}

bool partial_remake(Work *work, bool *ret_refused, Error *err)
{
    Conn *conn = work->build->conn;
    const Decided *decided = &work->decided;
    Table stage;
    int64_t rows;
    TEXT_AUTO(touched);
    *ret_refused = false;
    if (!table_stage_name(conn, work->target.schema, work->step->step_id, work->arena, &stage, err) ||
        !shadowed_condition(conn, decided->time_column, decided->time_type, &decided->touched, &touched, err) ||
        !stage_rows(work, &stage, &rows, ret_refused, err))
        return false;
    if (*ret_refused)
        return true;
    if (!table_find(conn, stage.schema, stage.name, work->arena, &stage, err) ||
        !work_fit_columns(work, &stage, NULL, err) || !table_stage_analyze(conn, &stage, rows, err) ||
        !check_rows(work, &stage, text_str(&touched), err) || !publish(work, &stage, rows, text_str(&touched), err))
        return false;
    work->result->total = rows;
    return table_stage_drop(conn, &stage, err);
}
