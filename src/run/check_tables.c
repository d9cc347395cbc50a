#include "run/check_tables.h"

#include "publish/table.h"
#include "record/ledger.h"
#include "run/run.h"
#include "run/target.h"

typedef struct Checking {
    const Project *project;
    Conn *conn;
    const CheckListener *listener;
    CheckSummary *summary;
    Arena arena;
    Error unchecked; /* why the first node's checks could not be run that could not */
} Checking;

static void checking_clear(Checking *checking)
{
    conn_close(checking->conn);
    error_clear(&checking->unchecked);
    arena_clear(&checking->arena);
}

static bool check_rows(Checking *checking, const Node *node, CheckResults *ret, Error *err)
{
    Table table;
    size_t count;
    if (!table_find(checking->conn, node->schema, node->table, &checking->arena, &table, err))
        return false;
    if (!table.exists) {
        error_at(err, ERROR_FAILED, node->place.file, node->place.line, 0, "%s.%s is not there", table.schema,
                 table.name);
        return error_hint(err, "sluice run %s makes it", node->name);
    }
    bool history = node->kind == NODE_MODEL && node->materialized == MATERIALIZED_HISTORY;
    CheckTarget target = {.quoted = table.quoted, .node = node};
    if (history)
        target.filter = arena_printf(&checking->arena, "created_at = (select max(created_at) from %s)", table.quoted);
    Check *checks = checks_of(node, &checking->arena, &count);
    return checks_run(checking->conn, &target, checks, count, &checking->arena, ret, err);
}

static void tell(Checking *checking, const Node *node, const CheckResults *results)
{
    for (size_t i = 0; i < results->count; i++) {
        const CheckResult *result = &results->items[i];
        checking->summary->ok += result->failed_rows == 0;
        if (checking->listener->checked)
            checking->listener->checked(node, result, checking->listener->data);
    }
    checking->summary->failed += results->failed;
    checking->summary->warnings += results->warnings;
}

/* All checks of one node see the same rows. */
static bool check_node(Checking *checking, const Node *node, Error *err)
{
    Conn *conn = checking->conn;
    TxnOptions options = {
        .schema = checking->project->target.schema, .timezone = checking->project->timezone, .repeatable_read = true};
    CheckResults results = {0};
    if (!conn_begin(conn, &options, err))
        return false;
    if (check_rows(checking, node, &results, err) &&
        checks_record(conn, &results, checking->summary->run_id, 0, node->schema, node->table, err) &&
        conn_commit(conn, err)) {
        tell(checking, node, &results);
        return true;
    }
    conn_rollback(conn);
    if (err->code != ERROR_FAILED)
        return false;
    checking->summary->failed++;
    if (checking->listener->unchecked)
        checking->listener->unchecked(node, err, checking->listener->data);
    if (checking->unchecked.code == ERROR_NONE)
        error_move(&checking->unchecked, err);
    error_clear(err);
    return true;
}

static bool has_checks(const Node *node) { return !node_is_ephemeral(node) && node_has_checks(node); }

static bool check_all(Checking *checking, const Selection *selection, Error *err)
{
    for (size_t i = 0; i < checking->project->node_count; i++) {
        const Node *node = checking->project->nodes[i];
        if (selection->chosen[i] && has_checks(node) && !check_node(checking, node, err))
            return false;
    }
    return true;
}

static bool end_checking(Checking *checking, bool good, Error *err)
{
    ERROR_AUTO(ending);
    const char *outcome = err->code == ERROR_CANCELLED         ? "cancelled"
                          : !good || checking->summary->failed ? "failed"
                                                               : "ok";
    const Error *why = good ? &checking->unchecked : err;
    conn_shield(checking->conn, RUN_LAST_WORDS);
    bool recorded = ledger_run_end(checking->conn, checking->summary->run_id, outcome, why, &ending);
    if (good && !recorded)
        error_move(err, &ending);
    return good && recorded;
}

bool run_checks(const Project *project, const Selection *selection, const CheckListener *listener, CheckSummary *ret,
                Error *err)
{
    *ret = (CheckSummary){0};
    Checking checking CLEANUP(checking_clear) = {.project = project, .listener = listener, .summary = ret};
    LedgerRun row = {
        .project = project->name, .target = project->target.name, .command = "check", .started_at = clock_now()};
    if (!target_connect(project, &checking.conn, err) || !ledger_open(checking.conn, err) ||
        !ledger_run_begin(checking.conn, &row, &ret->run_id, err))
        return false;
    bool good = check_all(&checking, selection, err);
    return end_checking(&checking, good, err);
}
