#include "build/declared.h"
#include "build/history.h"
#include "build/partial.h"
#include "build/query.h"
#include "build/work.h"

static bool is_history(const Work *work) { return work->node->materialized == MATERIALIZED_HISTORY; }

/* Where a page has room for the new version of a row, an update of columns that no index has leaves all indexes alone:
 * half the time, and half the WAL, of a correction of one day in 1,000. */
#define WITH_ROOM " with (fillfactor = 90)"

/* --- in full --------------------------------------------------------------------------------------------------- */

static bool make_new(Work *work, Error *err)
{
    Conn *conn = work->build->conn;
    QUERY_AUTO(query);
    text_appendf(&query.text, "create table %s%s as ", work->target.quoted,
                 work->node->materialized == MATERIALIZED_INCREMENTAL ? WITH_ROOM : "");
    int64_t rows;
    if (!query_append(conn, work->build->project, work->node, work->arena, &query, err) ||
        !query_run(conn, &query, &rows, err) ||
        !(is_history(work) || work_try_key(work, work->target.quoted, err)) || /* history: a key is of each run */
        !work_check(work, work->target.quoted, NULL, false, NULL, err))
        return false;
    work_count(work, rows, 0, 0);
    work->result->outcome = STEP_OK;
    work->result->total = work->total = rows;
    work->result->reason = "new table";
    work_touch_everything(work);
    return is_history(work) ? history_stamp_new(work, err)
                            : work_add_key(work, &work->target, err) && work_date_rows(work, err);
}

static bool publish_rows(Work *work, const Table *stage, Error *err)
{
    if (is_history(work))
        return history_append(work, stage, err);
    DiffScope scope = {.delete_missing = true, .number = work->step->step_id, .stage_rows = work->total};
    Diff diff;
    scope.time_column = work_time_column(work, &scope.time_type);
    return diff_find(work->build->conn, stage, &work->target, &work->node->unique_key, &scope, work->arena, &diff,
                     err) &&
           work_write(work, &diff, err);
}

static bool remake(Work *work, Error *err)
{
    Conn *conn = work->build->conn;
    Table stage;
    QUERY_AUTO(query);
    if (!table_stage_name(conn, work->target.schema, work->step->step_id, work->arena, &stage, err))
        return false;
    text_appendf(&query.text, "create table %s as ", stage.quoted);
    int64_t rows;
    if (!query_append(conn, work->build->project, work->node, work->arena, &query, err) ||
        !query_run(conn, &query, &rows, err) || !(rows <= TABLE_SMALL || work_try_key(work, stage.quoted, err)) ||
        !work_check(work, stage.quoted, NULL, false, NULL, err) ||
        !table_find(conn, stage.schema, stage.name, work->arena, &stage, err) ||
        !work_fit_columns(work, &stage, is_history(work) ? "created_at" : NULL, err))
        return false;
    work->result->total = work->total = rows;
    return table_stage_analyze(conn, &stage, rows, err) && publish_rows(work, &stage, err) &&
           table_stage_drop(conn, &stage, err) && (is_history(work) || work_date_rows(work, err));
}

/* --- what is to be done ---------------------------------------------------------------------------------------- */

/* Only what may have become wrong without a change of its rows is judged: or all, where the checks changed. */
static bool stay(Work *work, Error *err)
{
    work->stays = true;
    work->result->outcome = STEP_UNCHANGED;
    work->only_restless = str_eq(work->known.declared, declared_hash(work->node, work->arena));
    work->total = work->known.total;
    bool good = work_check(work, work->target.quoted, NULL, false, NULL, err);
    work->only_restless = false;
    return good;
}

static bool make_part(Work *work, Error *err)
{
    bool refused;
    if (!partial_remake(work, &refused, err))
        return false;
    if (!refused)
        return true;
    work->decided.kind = DECISION_FULL;
    work->decided.why = "its query does not run on a part of its inputs";
    return remake(work, err);
}

static bool make_rows(Work *work, Error *err)
{
    if (!work->target.exists)
        return make_new(work, err);
    switch (work->decided.kind) {
    case DECISION_SKIP:
        return stay(work, err);
    case DECISION_RANGE:
    case DECISION_FROM:
        return make_part(work, err);
    case DECISION_FULL:
        break;
    }
    return remake(work, err);
}

/* What was decided, for the record. */
static void tell(Work *work)
{
    const Decided *decided = &work->decided;
    StepResult *result = work->result;
    result->decision = decision_name(decided->kind);
    if (!result->reason)
        result->reason = decided->why;
    if (work->altered) { /* no row need differ for that to be a change */
        result->outcome = STEP_OK;
        result->reason = arena_printf(work->arena, "%s; %s", work->alteration, result->reason);
    }
    if (decided->kind != DECISION_RANGE && decided->kind != DECISION_FROM)
        return;
    TEXT_AUTO(times);
    decide_times(&decided->touched, decided->time_type, &times);
    result->touched = arena_strdup(work->arena, text_str(&times));
}

bool work_model(Work *work, Error *err)
{
    const Node *node = work->node;
    work->definition = query_definition(work->build->project, node, work->arena);
    if (!is_history(work))
        decide(&work->survey, node, &(DecideOptions){.full_refresh = work->build->full_refresh}, &work->decided);
    if (node->materialized == MATERIALIZED_VIEW)
        return work_view(work, err);
    bool good = make_rows(work, err);
    if (!good && err->code == ERROR_FAILED && !err->file)
        error_place(err, node->place.file, node->place.line, 0);
    if (good && !is_history(work))
        tell(work);
    return good;
}
