/* The part of models that makes views. */
#include "build/query.h"
#include "build/work.h"
#include "pg/rows.h"
#include "record/statements.h"

/* What stands on a view besides its query, as statements that put it there again: options such as security_barrier,
 * which `create or replace` would clear; and of a view that is dropped also grants, comments and the owner. */
static bool read_properties(Work *work, Rows **ret_rows, Error *err)
{
    return conn_query(work->build->conn, sql_view_properties, 1, (const char *const[]){work->target.quoted}, ret_rows,
                      err);
}

static bool restore_properties(Work *work, const Rows *rows, bool all, Error *err)
{
    for (int i = 0; i < rows_count(rows); i++)
        if ((all || rows_bool(rows, i, 1)) && !conn_exec(work->build->conn, rows_get(rows, i, 0), err))
            return false;
    return true;
}

/* Columns gone, renamed or of another type: a view cannot be replaced by that. Where nothing depends on it, it is
 * dropped and made again. */
static bool recreate_view(Work *work, const Query *query, Error *err)
{
    Conn *conn = work->build->conn;
    TEXT_AUTO(drop);
    text_appendf(&drop, "rollback to savepoint sluice_view; drop view %s", work->target.quoted);
    if (!conn_exec(conn, text_str(&drop), err))
        return str_eq(err->sqlstate, "2BP01") ? error_hint(err, "the columns of the view change, and what depends on "
                                                                "it would break: drop that first")
                                              : false;
    int64_t none;
    return query_run(conn, query, &none, err);
}

static bool replace_view(Work *work, const Query *query, Error *err)
{
    int64_t none;
    ROWS_AUTO(properties);
    if (!read_properties(work, &properties, err))
        return false;
    if (query_run(work->build->conn, query, &none, err))
        return restore_properties(work, properties, false, err);
    if (!str_eq(err->sqlstate, "42P16"))
        return false;
    error_clear(err);
    return recreate_view(work, query, err) && restore_properties(work, properties, true, err);
}

/* To wait for the view's lock would make all its readers wait behind us: give way, and try again. (LOCK TABLE would
 * not do: it locks the tables beneath the view too.) */
static bool replace_view_patiently(Work *work, const Query *query, Error *err)
{
    enum { TRIES = 50, PAUSE = 100 * 1000 };
    Conn *conn = work->build->conn;
    if (!conn_exec(conn, "set local lock_timeout = '200ms'; savepoint sluice_view", err))
        return false;
    for (int i = 0;; i++) {
        if (replace_view(work, query, err))
            return conn_exec(conn, "set local lock_timeout = 0", err);
        if (!str_eq(err->sqlstate, "55P03"))
            return false;
        if (i == TRIES)
            return error_hint(err, "somebody holds on to the view or to a table that it reads: see pg_locks");
        error_clear(err);
        if (!conn_exec(conn, "rollback to savepoint sluice_view", err))
            return false;
        clock_sleep(PAUSE);
    }
}

static bool put_view(Work *work, Error *err)
{
    QUERY_AUTO(query);
    text_appendf(&query.text, "create or replace view %s as ", work->target.quoted);
    if (!query_append(work->build->conn, work->build->project, work->node, work->arena, &query, err))
        return false;
    int64_t none;
    return work->target.exists ? replace_view_patiently(work, &query, err)
                               : query_run(work->build->conn, &query, &none, err);
}

bool work_view(Work *work, Error *err)
{
    const SurveyRelation *view = work->survey.nodes[work->node->order]->relation;
    bool same = work->target.exists && str_eq(work->known.definition, work->definition) && !view->stale;
    if (!same && !put_view(work, err))
        return false;
    work->result->outcome = same ? STEP_UNCHANGED : STEP_OK;
    work->result->reason = same ? "the definition is the same" : work->target.exists ? "replaced" : "new view";
    /* A view shows its inputs as they come: its checks can only report, and so do not undo it. */
    ERROR_AUTO(failed);
    if (work_check(work, work->target.quoted, NULL, false, NULL, &failed))
        return true;
    if (work->result->checks.failed == 0) {
        error_move(err, &failed);
        return false;
    }
    work->result->outcome = STEP_FAILED;
    error_move(&work->result->failure, &failed);
    return true;
}
