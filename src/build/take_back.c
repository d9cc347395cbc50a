#include "build/take_back.h"

#include <inttypes.h>

#include "build/own.h"
#include "record/fence.h"

typedef struct Taking {
    Build build;
    Step step;
    Arena *arena;
    UndoTaken *taken;
    int64_t total; /* rows of the table after it, -1: not known */
} Taking;

static bool find_table(const Taking *taking, Table *ret, LedgerRelation *ret_known, Error *err)
{
    const Node *node = taking->step.node;
    if (!table_find(taking->build.conn, node->schema, node->table, taking->arena, ret, err) ||
        !ledger_relation(taking->build.conn, node->schema, node->table, taking->arena, ret_known, err) ||
        !own_check(taking->build.project, node, ret, ret_known, err))
        return false;
    if (ret->exists && (ret->relkind == 'r' || ret->relkind == 'p') && ret_known->known)
        return true;
    error_set(err, ERROR_FAILED, "%s has no table that sluice publishes", node->name);
    return error_hint(err, "there is nothing that could be taken back");
}

static bool write_back(Taking *taking, Error *err)
{
    Conn *conn = taking->build.conn;
    Table table;
    LedgerRelation known;
    if (!find_table(taking, &table, &known, err))
        return false;
    DiffScope scope = {.time_column = known.time_column, .number = taking->step.step_id};
    const TableColumn *dates = known.time_column ? table_column(&table, known.time_column) : NULL;
    scope.time_type = dates ? sql_time_type(dates->type) : SQL_TIME_NONE;
    UndoTaken *taken = taking->taken;
    if (!undo_take_back(conn, &table, &scope, taking->step.step_id, taking->arena, taken, err) ||
        !conn_exec(conn, "set constraints all immediate", err))
        return false;
    taking->total = taken->rows_total;
    return ledger_taken_back_in_txn(conn, table.schema, table.name, taken->rows_total, taken->delivery_rows, err);
}

static bool record(const Taking *taking, const Error *failure, Error *err)
{
    const UndoTaken *taken = taking->taken;
    LedgerOutcome outcome = {.outcome = "ok", .total = taking->total};
    outcome.inserted = taken->counts.inserted;
    outcome.updated = taken->counts.updated;
    outcome.deleted = taken->counts.deleted;
    outcome.reason = arena_printf(taking->arena, "took back what step %" PRId64 " published at %s", taken->step_id,
                                  taken->published_at);
    if (failure)
        outcome = (LedgerOutcome){.outcome = "failed", .total = -1, .failure = failure};
    return ledger_step_end(taking->build.conn, taking->step.step_id, &outcome, err);
}

static bool transact(Taking *taking, Error *err)
{
    const Project *project = taking->build.project;
    const Node *node = taking->step.node;
    Conn *conn = taking->build.conn;
    TxnOptions options = {.schema = project->target.schema, .timezone = project->timezone};
    return conn_begin(conn, &options, err) &&
           fence_lock_in_txn(conn, node->schema, node->table, taking->build.run_id, project->name, false, err) &&
           write_back(taking, err) && record(taking, NULL, err) && conn_commit(conn, err);
}

static bool begin(Taking *taking, Error *err)
{
    const Project *project = taking->build.project;
    LedgerRun run = {
        .project = project->name,
        .target = project->target.name,
        .command = arena_printf(taking->arena, "rollback %s", taking->step.node->name),
        .started_at = taking->build.started_at,
    };
    if (!ledger_run_begin(taking->build.conn, &run, &taking->build.run_id, err))
        return false;
    taking->step.logical_run = arena_printf(taking->arena, "run %" PRId64, taking->build.run_id);
    return step_begin(&taking->build, &taking->step, err);
}

static const char *outcome_of(const Error *failure)
{
    if (failure->code == ERROR_CANCELLED)
        return "cancelled";
    return failure->code == ERROR_BUSY ? "busy" : "failed";
}

/* Where the record cannot be written the run stays `running`, and the next one finds its process gone. */
static void record_failure(const Taking *taking, const Error *failure)
{
    enum { LAST_WORDS = 5 }; /* seconds */
    ERROR_AUTO(ending);
    Conn *conn = taking->build.conn;
    const char *outcome = outcome_of(failure);
    if (!conn_alive(conn))
        return;
    conn_shield(conn, LAST_WORDS);
    if (failure->code != ERROR_FAILED || record(taking, failure, &ending))
        (void)(ledger_run_end(conn, taking->build.run_id, outcome, failure, &ending) &&
               ledger_end_steps(conn, taking->build.run_id, failure->code == ERROR_BUSY ? "skipped" : outcome,
                                &ending));
    conn_shield(conn, 0);
}

bool take_back(Conn *conn, const Project *project, const Node *node, Arena *arena, int64_t *ret_run_id, UndoTaken *ret,
               Error *err)
{
    Taking taking = {
        .build = {.conn = conn, .project = project, .started_at = clock_now()},
        .step = {.node = node},
        .arena = arena,
        .taken = ret,
        .total = -1,
    };
    *ret = (UndoTaken){0};
    *ret_run_id = 0;
    if (!begin(&taking, err))
        return false;
    *ret_run_id = taking.build.run_id;
    if (transact(&taking, err))
        return ledger_run_end(conn, taking.build.run_id, "ok", NULL, err);
    conn_rollback(conn);
    if (!err->file && err->code == ERROR_FAILED)
        error_place(err, node->place.file, 0, 0);
    record_failure(&taking, err);
    return false;
}
