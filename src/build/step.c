#include "build/step.h"

#include <string.h>

#include "base/log.h"
#include "build/backfill_chunk.h"
#include "build/declared.h"
#include "build/due.h"
#include "build/own.h"
#include "build/query.h"
#include "build/tracking.h"
#include "build/work.h"
#include "project/duration.h"
#include "publish/dress.h"
#include "record/fence.h"

/* As the ledger has it. */
static const char *outcome_name(StepOutcome outcome)
{
    static const char *const names[] = {
        [STEP_OK] = "ok",           [STEP_UNCHANGED] = "unchanged", [STEP_FAILED] = "failed",
        [STEP_BLOCKED] = "blocked", [STEP_SKIPPED] = "skipped",
    };
    return names[outcome];
}

const char *step_unchanged_reason(const Node *node)
{
    return node->kind == NODE_SOURCE ? "the file is the one that was loaded last" : "nothing that it reads has changed";
}

LedgerStep step_ledger(const Build *build, const Step *step)
{
    const Node *node = step->node;
    return (LedgerStep){
        .run_id = build->run_id,
        .schema = node->schema,
        .table = node->table,
        .node = node->name,
        .kind = build->by_hand ? "load" : node_kind_name(node),
        .materialized = node->kind == NODE_MODEL ? materialized_name(node->materialized) : NULL,
        .logical_run = step->logical_run,
        .has_tick = step->has_tick,
        .tick = step->tick,
    };
}

static LedgerOutcome ledger_outcome(const StepResult *result, const char *key)
{
    return (LedgerOutcome){
        .outcome = outcome_name(result->outcome),
        .reason = result->reason,
        .total = result->total,
        .inserted = result->inserted,
        .updated = result->updated,
        .deleted = result->deleted,
        .key = key,
        .failure = result->failure.code == ERROR_NONE ? NULL : &result->failure,
        .decision = result->decision,
        .touched = result->touched,
    };
}

/* "..., after 2 retries" */
static const char *with_retries(const char *reason, int retried, Arena *arena)
{
    if (retried == 0)
        return reason;
    return arena_printf(arena, "%s%safter %d %s", reason ? reason : "", reason ? ", " : "", retried,
                        retried == 1 ? "retry" : "retries");
}

bool step_begin(Build *build, Step *step, Error *err)
{
    LedgerStep row = step_ledger(build, step);
    bool begun = false;
    if ((step->again || step->step_id) && !ledger_step_find(build->conn, &row, &step->step_id, &begun, err))
        return false;
    return begun || ledger_step_begin(build->conn, &row, &step->step_id, err);
}

bool step_record_unrun(Build *build, const Step *step, const StepResult *result, Error *err)
{
    LedgerStep row = step_ledger(build, step);
    LedgerOutcome outcome = ledger_outcome(result, NULL);
    return ledger_step_unrun(build->conn, &row, &outcome, err);
}

static void work_clear(Work *work) { survey_clear(&work->survey); }

/* --- in the transaction ---------------------------------------------------------------------------------------- */

/* Another run may have done this tick between our asking and our taking the lock. */
static bool still_due(const Work *work)
{
    Instant tick;
    return !work->build->due ||
           (due_tick(work->node, &work->known, work->build->started_at, &tick) && tick == work->step->tick);
}

/* The survey of a model knows of its own table, too. What history is made from does not matter: all of it is. */
static bool look(Work *work, Error *err)
{
    Conn *conn = work->build->conn;
    const Node *node = work->node;
    if (!table_find(conn, node->schema, node->table, work->arena, &work->target, err))
        return false;
    if (node->kind == NODE_SOURCE || node->materialized == MATERIALIZED_HISTORY)
        return ledger_relation(conn, node->schema, node->table, work->arena, &work->known, err);
    if (!work_survey(work, err))
        return false;
    work->known = work->survey.nodes[node->order]->relation->known;
    return true;
}

/* What the rows were computed by and from, so that the next step can tell what has changed since. */
static void add_base(const Work *work, LedgerPublish *publish)
{
    const Node *node = work->node;
    const SurveyNode *about = work->survey.nodes ? work->survey.nodes[node->order] : NULL;
    SqlTimeType type;
    publish->time_column = work->made_time_column ? work->made_time_column : work_time_column(work, &type);
    publish->declared = declared_hash(node, work->arena);
    if (!about)
        return;
    publish->step_key = about->key;
    publish->system_identifier = work->survey.system;
    /* A view whose check failed stands all the same: it is to be judged again, changed or not. */
    bool settled = work->decided.keeps_snapshot && work->result->outcome != STEP_FAILED;
    publish->snapshot = settled ? work->survey.snapshot : NULL;
}

static bool record_step(Work *work, Error *err)
{
    Build *build = work->build;
    const Node *node = work->node;
    LedgerOutcome outcome = ledger_outcome(work->result, work->definition);
    return checks_record(build->conn, &work->result->checks, build->run_id, work->step->step_id, node->schema,
                         node->table, err) &&
           ledger_step_end(build->conn, work->step->step_id, &outcome, err);
}

/* Indexes, grants and comments, where what is declared is not what was last applied. */
static bool put_in_order(Work *work, const char *declared, Error *err)
{
    const Node *node = work->node;
    Table table;
    bool changed;
    if (work->target.exists && !work->altered && str_eq(work->known.declared, declared))
        return true;
    if (!work->target.exists && !work->known.known && !dress_asked(node)) /* new, and there is nothing to take away */
        return true;
    return table_find(work->build->conn, node->schema, node->table, work->arena, &table, err) &&
           dress(work->build->conn, node, &table, &changed, err);
}

static bool record(Work *work, Error *err)
{
    Build *build = work->build;
    work->result->reason = with_retries(work->result->reason, work->step->retried, work->arena);
    LedgerStep row = step_ledger(build, work->step);
    LedgerPublish publish = {
        .step = &row,
        .project = build->project->name,
        .target = build->project->target.name,
        .definition = work->definition,
        .sql = work->node->kind == NODE_MODEL ? query_sql(build->project, work->node, work->arena) : NULL,
        .content_hash = work->content_hash,
        .content_size = work->content_size,
        .started_at = build->started_at,
        .total = work->total,
        .has_delivery = work->delivery_rows >= 0,
        .delivery_rows = work->delivery_rows,
        .held = work->stays,
    };
    if (!record_step(work, err) || node_is_external(work->node))
        return err->code == ERROR_NONE;
    add_base(work, &publish);
    bool whole = !work->step->chunk; /* a chunk changes rows, and nothing of what the table is known to be made from */
    return (!whole ||
            (ledger_publish_in_txn(build->conn, &publish, err) && put_in_order(work, publish.declared, err))) &&
           (!work->touched.schema || change_record_in_txn(build->conn, &work->touched, err));
}

static bool make_rows(Work *work, Error *err)
{
    if (work->step->chunk)
        return backfill_chunk(work, err);
    return work->node->kind == NODE_SOURCE ? work_source(work, err) : work_model(work, err);
}

static bool work_through(Work *work, Error *err)
{
    if (!look(work, err))
        return false;
    if (!still_due(work)) {
        work->result->outcome = STEP_SKIPPED;
        work->result->reason = "another run has done this tick";
        return true;
    }
    if (!own_check(work->build->project, work->node, &work->target, &work->known, err))
        return false;
    if (!make_rows(work, err))
        return false;
    return work->result->outcome == STEP_SKIPPED ||
           (conn_exec(work->build->conn, "set constraints all immediate", err) && record(work, err));
}

/* --- around the transaction ------------------------------------------------------------------------------------ */

static bool is_fatal(const Error *err) { return err->code == ERROR_CONNECTION || err->code == ERROR_CANCELLED; }

/* Reasons that have nothing to do with the step itself, and may be gone when it is tried again. */
static bool may_pass(const Error *err)
{
    static const char *const states[] = {
        "40001", /* serialization_failure: a row changed after our snapshot was taken */
        "40P01", /* deadlock_detected */
        "55P03", /* lock_not_available */
        "53300", /* too_many_connections */
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (str_eq(err->sqlstate, states[i]))
            return true;
    return false;
}

static void tell_overdue(const Node *node, Arena *arena, Error *failure)
{
    error_at(failure, ERROR_FAILED, node->place.file, 0, 0, "took longer than %s",
             duration_text(node->timeout, true, arena));
    error_hint(failure, "timeout: says how long the step may take, its retries together");
}

/* Lost constraints of the ledger's own: somebody else published the same logical run. */
static bool published_by_another(const Error *err)
{
    return str_eq(err->sqlstate, "23505") && err->message && strstr(err->message, "steps_published_once");
}

/* Checks, failing rows and outcome together or not at all: a step that is tried again records them once. */
static bool record_failure(Build *build, const Step *step, StepResult *result, Error *err)
{
    const Node *node = step->node;
    LedgerOutcome outcome = ledger_outcome(result, NULL);
    if (conn_begin(build->conn, &(TxnOptions){0}, err) &&
        checks_record(build->conn, &result->checks, build->run_id, step->step_id, node->schema, node->table, err) &&
        ledger_step_end(build->conn, step->step_id, &outcome, err) && conn_commit(build->conn, err))
        return true;
    conn_rollback(build->conn);
    if (err->code == ERROR_FAILED && result->failure.message)
        error_detail(err, "while recording that %s failed: %s", node->name, result->failure.message);
    return false;
}

static void judge(const Node *node, StepResult *ret, Error *failure)
{
    if (failure->code == ERROR_BUSY || published_by_another(failure)) {
        ret->outcome = STEP_SKIPPED;
        ret->busy = failure->code == ERROR_BUSY;
        ret->reason = ret->busy ? "another run is building this table" : "another run has done this tick";
    } else {
        ret->outcome = STEP_FAILED;
    }
    ret->total = -1;
    ret->inserted = ret->updated = ret->deleted = 0;
    if (!failure->file && failure->code == ERROR_FAILED)
        error_place(failure, node->place.file, 0, 0);
    error_move(&ret->failure, failure);
}

/* `lock table a, b in access share mode` of what a model reads, as far as the project makes it. */
static bool append_locks(Conn *conn, const Node *node, Text *out, Error *err)
{
    for (size_t i = 0; i < node->input_count; i++) {
        const Node *input = node->inputs[i];
        if (node_is_ephemeral(input))
            continue;
        text_append(out, out->len ? ", " : "lock table ");
        if (!conn_format(conn, out, err, "%I.%I", input->schema, input->table))
            return false;
    }
    if (out->len)
        text_append(out, " in access share mode");
    return true;
}

/* Of a step that is tried again: asked only under the table's lock, or while another run has it. Before that, the
 * backend of the lost connection may still be about to commit. */
static bool find_published(const Work *work, bool locked, bool *ret_published, Error *err)
{
    if (!work->step->again || (!locked && err->code != ERROR_BUSY))
        return locked;
    bool done;
    ERROR_AUTO(failure);
    if (!ledger_step_done(work->build->conn, work->step->step_id, &done, &failure)) {
        error_move(err, &failure);
        return false;
    }
    if (!done)
        return locked;
    error_clear(err);
    *work->result = (StepResult){.outcome = STEP_OK, .total = -1, .reason = "published before the connection was lost"};
    return *ret_published = true;
}

/* What follows the lock. The look for an earlier COMMIT is not cut short: a step that was published has not failed. */
static bool go_on(Work *work, Error *err)
{
    if (work->step->given_up)
        return error_set(err, ERROR_FAILED, "%s", work->step->given_up);
    conn_limit(work->build->conn, work->step->deadline);
    return work_through(work, err);
}

/* One snapshot for the ledger and all inputs. They are locked before it is taken, so that no TRUNCATE or rewrite, which
 * would make them look empty to it, comes in between. What cannot be locked (it is not there, or no table) is left to
 * the query to tell. */
static bool begin(Work *work, Error *err)
{
    Conn *conn = work->build->conn;
    const Project *project = work->build->project;
    TxnOptions options = {.schema = project->target.schema, .timezone = project->timezone, .repeatable_read = true};
    TEXT_AUTO(lock);
    if (!conn_begin(conn, &options, err) || !append_locks(conn, work->node, &lock, err))
        return false;
    if (!lock.len || conn_exec(conn, text_str(&lock), err))
        return true;
    if (err->code != ERROR_FAILED)
        return false;
    error_clear(err);
    conn_rollback(conn);
    return conn_begin(conn, &options, err);
}

static bool lock_alone(const Work *work, bool wait, Error *err)
{
    const Build *build = work->build;
    const Node *node = work->node;
    return fence_lock_in_txn(build->conn, node->schema, node->table, build->run_id, build->project->name, wait, err);
}

static bool try_chunk_lock(const Work *work, bool *ret_locked, Error *err)
{
    const Build *build = work->build;
    const Node *node = work->node;
    if (!work->step->chunk->backfill->alone)
        return fence_share_in_txn(build->conn, node->schema, node->table, build->run_id, build->project->name,
                                  ret_locked, err);
    *ret_locked = lock_alone(work, false, err);
    if (*ret_locked || err->code != ERROR_BUSY)
        return *ret_locked;
    error_clear(err);
    return true;
}

/* A chunk gives way to a run that has the table, or waits for it: else that would have to wait for all of them. */
static bool begin_chunk(Work *work, Error *err)
{
    enum { PAUSE = 100 * 1000 };
    for (;;) {
        bool locked;
        if (!begin(work, err) || !try_chunk_lock(work, &locked, err))
            return false;
        if (locked)
            return true;
        conn_rollback(work->build->conn);
        clock_sleep(PAUSE);
    }
}

/* Until the lock was free. In a transaction of its own: the step's has a snapshot, which would grow old. */
static bool wait_for_lock(const Work *work, Error *err)
{
    Conn *conn = work->build->conn;
    conn_rollback(conn);
    bool good = conn_begin(conn, &(TxnOptions){0}, err) && lock_alone(work, true, err);
    conn_rollback(conn);
    return good;
}

/* ERROR_BUSY: the transaction is good. */
static bool begin_alone(Work *work, Error *err)
{
    for (;;) {
        if (!begin(work, err))
            return false;
        bool locked = lock_alone(work, false, err);
        if (locked || !work->build->wait || err->code != ERROR_BUSY)
            return locked;
        error_clear(err);
        if (!wait_for_lock(work, err))
            return false;
    }
}

static bool transact(Work *work, bool *ret_published, Error *err)
{
    const Node *node = work->node;
    *ret_published = false;
    log_progress("waiting for its locks");
    if (node_is_tracked(node) && !tracking_install(work->build->conn, work->build->project, node, err))
        return false;
    bool locked = work->step->chunk ? begin_chunk(work, err) : begin_alone(work, err);
    return find_published(work, locked, ret_published, err) && (*ret_published || go_on(work, err));
}

/* Rolled back, and to be told by another attempt or as a failure. */
static bool end_badly(Work *work, Error *failure, Error *err)
{
    const Step *step = work->step;
    StepResult *result = work->result;
    result->passing = step->may_retry && may_pass(failure);
    if (is_fatal(failure) || result->passing) {
        error_move(err, failure);
        return false;
    }
    if (result->outcome != STEP_SKIPPED)
        judge(step->node, result, failure);
    result->reason = with_retries(result->reason, step->retried, work->arena);
    return record_failure(work->build, step, result, err);
}

bool step_run(Build *build, const Step *step, Arena *arena, StepResult *ret, Error *err)
{
    error_clear(&ret->failure);
    *ret = (StepResult){.total = -1};
    int64_t begun = clock_monotonic();
    Work work CLEANUP(work_clear) = {.build = build,
                                     .step = step,
                                     .node = step->node,
                                     .arena = arena,
                                     .result = ret,
                                     .total = -1,
                                     .delivery_rows = -1,
                                     .decided = {.kind = DECISION_FULL, .keeps_snapshot = true}};
    ERROR_AUTO(failure);
    bool published;
    conn_limit(build->conn, step->again ? 0 : step->deadline);
    bool done = transact(&work, &published, &failure) && !published && ret->outcome != STEP_SKIPPED &&
                conn_commit(build->conn, &failure);
    bool overdue = conn_overdue(build->conn);
    conn_limit(build->conn, 0);
    ret->microseconds = clock_monotonic() - begun;
    if (done)
        return true;
    conn_rollback(build->conn);
    if (published)
        return true;
    if (overdue && failure.code == ERROR_FAILED)
        tell_overdue(step->node, arena, &failure);
    return end_badly(&work, &failure, err);
}
