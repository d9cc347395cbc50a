#include "record/ledger.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/process.h"
#include "record/array.h"
#include "record/statements.h"

/* Read as rows, by the statement's snapshot: to_regclass() answers from a cache, which inside a transaction may still
 * say what was so before another program installed the ledger. *ret_version 0: there is none. */
static bool installed_version(Conn *conn, int64_t *ret_version, Error *err)
{
    ROWS_AUTO(found);
    *ret_version = 0;
    if (!conn_query(conn,
                    "select count(*) > 0 from pg_catalog.pg_class c join pg_catalog.pg_namespace n "
                    "on n.oid = c.relnamespace where n.nspname = 'sluice' and c.relname = 'version'",
                    0, NULL, &found, err))
        return false;
    if (!rows_bool(found, 0, 0))
        return true;
    ROWS_AUTO(rows);
    if (!conn_query(conn, "select coalesce(max(version), 0) from sluice.version", 0, NULL, &rows, err))
        return false;
    *ret_version = rows_int(rows, 0, 0);
    return true;
}

bool ledger_exists(Conn *conn, bool *ret_exists, Error *err)
{
    int64_t version;
    if (!installed_version(conn, &version, err))
        return false;
    *ret_exists = version > 0;
    if (version == 0 || version >= LEDGER_VERSION)
        return true;
    error_set(err, ERROR_FAILED, "the ledger in schema sluice has version %" PRId64 ", this program reads %d", version,
              LEDGER_VERSION);
    return error_hint(err, "the next sluice run brings it up to date");
}

/* CREATE SCHEMA IF NOT EXISTS wants CREATE on the database even where the schema is there: an administrator may have
 * made it for a role that has no more than the schema. */
static bool make_schema(Conn *conn, Error *err)
{
    ROWS_AUTO(rows);
    if (!conn_query(conn, "select count(*) > 0 from pg_catalog.pg_namespace where nspname = 'sluice'", 0, NULL, &rows,
                    err))
        return false;
    return rows_bool(rows, 0, 0) || conn_exec(conn, "create schema sluice", err);
}

bool ledger_lock_in_txn(Conn *conn, Error *err)
{
    return conn_exec(conn, "select pg_catalog.pg_advisory_xact_lock(7310575174865381477)", err);
}

/* Several programs may find the ledger missing at once: one installs it, the others find it done. */
static bool install(Conn *conn, Error *err)
{
    static const char *const migrations[LEDGER_VERSION] = {sql_ledger_1, sql_ledger_2};
    int64_t version;
    if (!ledger_lock_in_txn(conn, err) || !installed_version(conn, &version, err))
        return false;
    if (version == 0 && !make_schema(conn, err))
        return false;
    for (int64_t next = version + 1; next <= LEDGER_VERSION; next++) {
        char text[DECIMAL_TEXT];
        if (!conn_exec(conn, migrations[next - 1], err) ||
            !conn_query(conn, "insert into sluice.version (version, program) values ($1::int, $2)", 2,
                        (const char *const[]){decimal_text(next, text), SLUICE_VERSION}, NULL, err))
            return false;
    }
    return true;
}

bool ledger_open(Conn *conn, Error *err)
{
    int64_t version;
    if (!installed_version(conn, &version, err))
        return false;
    if (version > LEDGER_VERSION) {
        error_set(err, ERROR_FAILED, "the ledger in schema sluice has version %" PRId64 ", this program knows %d",
                  version, LEDGER_VERSION);
        return error_hint(err, "use the newer sluice that wrote it");
    }
    if (version == LEDGER_VERSION)
        return true;
    if (!conn_begin(conn, &(TxnOptions){0}, err))
        return false;
    if (install(conn, err) && conn_commit(conn, err))
        return true;
    conn_rollback(conn);
    if (str_eq(err->sqlstate, "42501"))
        error_hint(err, "the role needs CREATE on the database, or a schema sluice that it may create tables in; see "
                        "docs/operations.md");
    return false;
}

bool ledger_prune(Conn *conn, Error *err)
{
    char days[DECIMAL_TEXT];
    return conn_query(conn, sql_ledger_prune, 1, (const char *const[]){decimal_text(LEDGER_DAYS, days)}, NULL, err);
}

/* Nobody waits until this is on the disk: whatever is committed after it brings it along. */
bool ledger_run_begin(Conn *conn, const LedgerRun *run, int64_t *ret_run_id, Error *err)
{
    char started[CLOCK_TEXT];
    clock_format_exact(run->started_at, started);
    char *command CLEANUP(mem_free_p) = log_redacted(run->command);
    TEXT_AUTO(host);
    TEXT_AUTO(process);
    process_host(&host);
    process_identity(&process);
    ROWS_AUTO(rows);
    if (!conn_query(conn,
                    "with soon as materialized (select pg_catalog.set_config('synchronous_commit', 'off', true)) "
                    "insert into sluice.runs (project, target, command, started_at, host, process, program) "
                    "select $1, $2, $3, $4::timestamptz, $5, $6, $7 from soon returning run_id",
                    7,
                    (const char *const[]){run->project, run->target, command, started, text_str(&host),
                                          text_str(&process), SLUICE_VERSION},
                    &rows, err))
        return false;
    *ret_run_id = rows_int(rows, 0, 0);
    return true;
}

/* The text of an error as it is recorded: without secrets. NULL for none; the caller frees it. */
static char *recorded(const Error *failure)
{
    if (!failure || failure->code == ERROR_NONE)
        return NULL;
    TEXT_AUTO(text);
    text_append(&text, failure->message);
    if (failure->detail)
        text_appendf(&text, "; %s", failure->detail);
    return log_redacted(text_str(&text));
}

bool ledger_run_end(Conn *conn, int64_t run_id, const char *outcome, const Error *failure, Error *err)
{
    char id[DECIMAL_TEXT];
    char *text CLEANUP(mem_free_p) = recorded(failure);
    return conn_query(
        conn, "update sluice.runs set ended_at = clock_timestamp(), outcome = $2, error = $3 where run_id = $1::bigint",
        3, (const char *const[]){decimal_text(run_id, id), outcome, text}, NULL, err);
}

static LedgerRelation read_relation(const Rows *rows, int row, Arena *arena)
{
    return (LedgerRelation){
        .known = rows_get(rows, row, 0) != NULL,
        .project = arena_strdup(arena, rows_get(rows, row, 0)),
        .node = arena_strdup(arena, rows_get(rows, row, 1)),
        .kind = arena_strdup(arena, rows_get(rows, row, 2)),
        .materialized = arena_strdup(arena, rows_get(rows, row, 3)),
        .definition = arena_strdup(arena, rows_get(rows, row, 4)),
        .content_hash = arena_strdup(arena, rows_get(rows, row, 5)),
        .has_tick = rows_get(rows, row, 6) != NULL,
        .has_start = rows_get(rows, row, 7) != NULL,
        .last_tick = rows_int(rows, row, 6),
        .last_start = rows_int(rows, row, 7),
        .total = rows_get(rows, row, 8) ? rows_int(rows, row, 8) : -1,
        .step_key = arena_strdup(arena, rows_get(rows, row, 9)),
        .snapshot = arena_strdup(arena, rows_get(rows, row, 10)),
        .system_identifier = arena_strdup(arena, rows_get(rows, row, 11)),
        .time_column = arena_strdup(arena, rows_get(rows, row, 12)),
        .delivery_rows = rows_get(rows, row, 13) ? rows_int(rows, row, 13) : -1,
        .declared = arena_strdup(arena, rows_get(rows, row, 14)),
        .taken_back = rows_bool(rows, row, 15),
        .content_size = rows_get(rows, row, 16) ? rows_int(rows, row, 16) : -1,
    };
}

bool ledger_relations_known(Conn *conn, const LedgerName *names, size_t count, Arena *arena, LedgerRelation *ret,
                            Error *err)
{
    if (count == 0)
        return true;
    ARRAY_AUTO(schemas);
    ARRAY_AUTO(tables);
    for (size_t i = 0; i < count; i++) {
        array_add(&schemas, names[i].schema);
        array_add(&tables, names[i].table);
    }
    ROWS_AUTO(rows);
    if (!conn_query_often(conn, sql_relation, 2, (const char *const[]){array_str(&schemas), array_str(&tables)}, &rows,
                          err))
        return false;
    for (size_t i = 0; i < count; i++)
        ret[i] = read_relation(rows, (int)i, arena);
    return true;
}

bool ledger_relation(Conn *conn, const char *schema, const char *table, Arena *arena, LedgerRelation *ret, Error *err)
{
    *ret = (LedgerRelation){0};
    return ledger_relations_known(conn, &(LedgerName){schema, table}, 1, arena, ret, err);
}

/* Nobody waits until this is on the disk: what a crash of the server would take with it is a step that had not ended,
 * and a COMMIT of the step brings it along. */
bool ledger_step_begin(Conn *conn, const LedgerStep *step, int64_t *ret_step_id, Error *err)
{
    char run_id[DECIMAL_TEXT], tick[CLOCK_TEXT];
    clock_format_exact(step->tick, tick);
    ROWS_AUTO(rows);
    if (!conn_query_often(
            conn,
            "with soon as materialized (select pg_catalog.set_config('synchronous_commit', 'off', true)) "
            "insert into sluice.steps (run_id, schema_name, table_name, node, kind, materialized, logical_run, "
            "tick, started_at) select $1::bigint, $2, $3, $4, $5, $6, $7, $8::timestamptz, clock_timestamp() "
            "from soon returning step_id",
            8,
            (const char *const[]){decimal_text(step->run_id, run_id), step->schema, step->table, step->node, step->kind,
                                  step->materialized, step->logical_run, step->has_tick ? tick : NULL},
            &rows, err))
        return false;
    *ret_step_id = rows_int(rows, 0, 0);
    return true;
}

/* "models/a.sql:3:5" of a failure, or NULL; the caller frees it. */
static char *recorded_place(const Error *failure)
{
    if (!failure || !failure->file)
        return NULL;
    TEXT_AUTO(text);
    error_place_text(failure, &text);
    return log_redacted(text_str(&text));
}

bool ledger_step_end(Conn *conn, int64_t step_id, const LedgerOutcome *outcome, Error *err)
{
    char id[DECIMAL_TEXT], total[DECIMAL_TEXT], inserted[DECIMAL_TEXT], updated[DECIMAL_TEXT], deleted[DECIMAL_TEXT];
    const Error *failure = outcome->failure;
    char *text CLEANUP(mem_free_p) = recorded(failure);
    char *place CLEANUP(mem_free_p) = recorded_place(failure);
    return conn_query_often(
        conn, sql_step_end, 13,
        (const char *const[]){decimal_text(step_id, id), outcome->outcome, outcome->reason,
                              decimal_text(outcome->total, total), decimal_text(outcome->inserted, inserted),
                              decimal_text(outcome->updated, updated), decimal_text(outcome->deleted, deleted),
                              outcome->key, text, place, failure && failure->sqlstate[0] ? failure->sqlstate : NULL,
                              outcome->decision, outcome->touched},
        NULL, err);
}

bool ledger_end_steps(Conn *conn, int64_t run_id, const char *outcome, Error *err)
{
    char id[DECIMAL_TEXT];
    return conn_query(conn,
                      "with twice as (delete from sluice.steps s where run_id = $1::bigint and outcome = 'running' "
                      "and exists (select from sluice.steps o where o.run_id = s.run_id and o.step_id <> s.step_id and "
                      "(o.schema_name, o.table_name) = (s.schema_name, s.table_name) and o.outcome <> 'running')) "
                      "update sluice.steps s set ended_at = clock_timestamp(), "
                      "outcome = case when $2 = 'cancelled' then 'cancelled' else 'failed' end "
                      "where run_id = $1::bigint and outcome = 'running' "
                      "and not exists (select from sluice.steps o where o.run_id = s.run_id and o.step_id <> s.step_id "
                      "and (o.schema_name, o.table_name) = (s.schema_name, s.table_name) and o.outcome <> 'running')",
                      2, (const char *const[]){decimal_text(run_id, id), outcome}, NULL, err);
}

bool ledger_step_unrun(Conn *conn, const LedgerStep *step, const LedgerOutcome *outcome, Error *err)
{
    int64_t step_id;
    return ledger_step_begin(conn, step, &step_id, err) && ledger_step_end(conn, step_id, outcome, err);
}

bool ledger_steps_unchanged(Conn *conn, const LedgerSkip *skips, size_t count, const char *snapshot, Error *err)
{
    enum { RUN, SCHEMA, TABLE, NODE, KIND, MATERIALIZED, LOGICAL, TICK, REASON, SNAPSHOT, KEY, JUDGED, PARAMS };
    if (count == 0)
        return true;
    Array arrays[PARAMS] = {0};
    for (size_t i = 0; i < count; i++) {
        const LedgerStep *step = &skips[i].step;
        char tick[CLOCK_TEXT];
        clock_format_exact(step->tick, tick);
        array_add_int(&arrays[RUN], step->run_id);
        array_add(&arrays[SCHEMA], step->schema);
        array_add(&arrays[TABLE], step->table);
        array_add(&arrays[NODE], step->node);
        array_add(&arrays[KIND], step->kind);
        array_add(&arrays[MATERIALIZED], step->materialized);
        array_add(&arrays[LOGICAL], step->logical_run);
        array_add(&arrays[TICK], step->has_tick ? tick : NULL);
        array_add(&arrays[REASON], skips[i].reason);
        array_add(&arrays[KEY], skips[i].key);
        array_add(&arrays[JUDGED], skips[i].judged);
    }
    const char *params[PARAMS];
    for (size_t i = 0; i < PARAMS; i++)
        params[i] = i == SNAPSHOT ? snapshot : array_str(&arrays[i]);
    bool ok = conn_query(conn, sql_steps_unchanged, PARAMS, params, NULL, err);
    for (size_t i = 0; i < PARAMS; i++)
        array_clear(&arrays[i]);
    return ok;
}

bool ledger_step_find(Conn *conn, const LedgerStep *step, int64_t *ret_step_id, bool *ret_found, Error *err)
{
    char run_id[DECIMAL_TEXT];
    TEXT_AUTO(process);
    process_identity(&process);
    ROWS_AUTO(rows);
    if (!conn_query(conn,
                    "select s.step_id from sluice.runs r left join sluice.steps s on s.run_id = r.run_id and "
                    "s.schema_name = $2 and s.table_name = $3 and s.logical_run = $5 where r.run_id = $1::bigint and "
                    "r.process = $4 "
                    "order by s.step_id desc nulls last limit 1",
                    5,
                    (const char *const[]){decimal_text(step->run_id, run_id), step->schema, step->table,
                                          text_str(&process), step->logical_run},
                    &rows, err))
        return false;
    if (rows_count(rows) == 0) {
        error_set(err, ERROR_CONNECTION, "the server went down, and has lost the record of this run, %s", run_id);
        return error_hint(err, "what it did not publish is for the next run");
    }
    *ret_found = rows_get(rows, 0, 0) != NULL;
    if (*ret_found)
        *ret_step_id = rows_int(rows, 0, 0);
    return true;
}

bool ledger_step_done(Conn *conn, int64_t step_id, bool *ret_done, Error *err)
{
    char id[DECIMAL_TEXT];
    ROWS_AUTO(rows);
    if (!conn_query(conn, "select outcome in ('ok', 'unchanged') from sluice.steps where step_id = $1::bigint", 1,
                    (const char *const[]){decimal_text(step_id, id)}, &rows, err))
        return false;
    *ret_done = rows_count(rows) == 1 && rows_bool(rows, 0, 0);
    return true;
}

bool ledger_publish_in_txn(Conn *conn, const LedgerPublish *publish, Error *err)
{
    const LedgerStep *step = publish->step;
    char run_id[DECIMAL_TEXT], tick[CLOCK_TEXT], started[CLOCK_TEXT], total[DECIMAL_TEXT], delivery[DECIMAL_TEXT],
        size[DECIMAL_TEXT];
    clock_format_exact(step->tick, tick);
    clock_format_exact(publish->started_at, started);
    char *sql CLEANUP(mem_free_p) = publish->sql ? log_redacted(publish->sql) : NULL;
    return conn_query_often(
        conn, sql_publish, 22,
        (const char *const[]){
            step->schema,
            step->table,
            publish->project,
            step->node,
            step->kind,
            step->materialized ? step->materialized : "table",
            publish->definition,
            decimal_text(step->run_id, run_id),
            step->has_tick ? tick : NULL,
            started,
            publish->content_hash,
            decimal_text(publish->total, total),
            publish->target,
            publish->step_key,
            publish->snapshot,
            publish->system_identifier,
            publish->time_column,
            publish->has_delivery ? decimal_text(publish->delivery_rows, delivery) : NULL,
            publish->declared,
            publish->held ? "true" : "false",
            sql,
            publish->content_hash && publish->content_size >= 0 ? decimal_text(publish->content_size, size) : NULL},
        NULL, err);
}

bool ledger_taken_back_in_txn(Conn *conn, const char *schema, const char *table, int64_t total, int64_t delivery_rows,
                              Error *err)
{
    char rows[DECIMAL_TEXT], delivery[DECIMAL_TEXT];
    return conn_query(
        conn,
        "update sluice.relations set taken_back = clock_timestamp(), rows_total = nullif($3::bigint, -1), "
        "delivery_rows = nullif($4::bigint, -1) where schema_name = $1 and table_name = $2",
        4, (const char *const[]){schema, table, decimal_text(total, rows), decimal_text(delivery_rows, delivery)}, NULL,
        err);
}

bool ledger_load_in_txn(Conn *conn, int64_t step_id, const char *file, uint64_t bytes, const char *content_hash,
                        int64_t rows_read, const char *mode, Error *err)
{
    char id[DECIMAL_TEXT], size[DECIMAL_TEXT], count[DECIMAL_TEXT];
    char *shown CLEANUP(mem_free_p) = log_redacted(file);
    return conn_query(conn,
                      "insert into sluice.loads (step_id, file, bytes, content_hash, rows_read, mode) "
                      "values ($1::bigint, $2, $3::bigint, $4, $5::bigint, $6)",
                      6,
                      (const char *const[]){decimal_text(step_id, id), shown, decimal_text((int64_t)bytes, size),
                                            content_hash, decimal_text(rows_read, count), mode},
                      NULL, err);
}

bool ledger_adopt(Conn *conn, const LedgerOwner *owner, const char *schema, const char *table, Error *err)
{
    return conn_query(
        conn,
        "insert into sluice.relations (schema_name, table_name, project, target, node, kind, materialized) "
        "values ($1, $2, $3, $4, $5, $6, $7) on conflict (schema_name, table_name) do update set "
        "project = $3, target = $4, node = $5, kind = $6, materialized = $7, owned_since = now()",
        7,
        (const char *const[]){schema, table, owner->project, owner->target, owner->node, owner->kind,
                              owner->materialized},
        NULL, err);
}

bool ledger_forget_in_txn(Conn *conn, const char *schema, const char *table, Error *err)
{
    const char *const name[] = {schema, table};
    return conn_query(conn, "delete from sluice.undo where schema_name = $1 and table_name = $2", 2, name, NULL, err) &&
           conn_query(conn, "delete from sluice.relations where schema_name = $1 and table_name = $2", 2, name, NULL,
                      err);
}

bool ledger_relations(Conn *conn, const char *project, const char *target, Rows **ret_rows, Error *err)
{
    return conn_query(conn,
                      "select schema_name, table_name, node, kind, materialized from sluice.relations "
                      "where project = $1 and target = $2 order by schema_name, table_name",
                      2, (const char *const[]){project, target}, ret_rows, err);
}

bool ledger_failed(Conn *conn, const char *project, const char *target, Rows **ret_rows, Error *err)
{
    return conn_query(conn, sql_failed_tables, 2, (const char *const[]){project, target}, ret_rows, err);
}

bool ledger_status(Conn *conn, const char *project, const char *target, Rows **ret_rows, Error *err)
{
    return conn_query(conn, sql_status, 2, (const char *const[]){project, target}, ret_rows, err);
}

bool ledger_runs(Conn *conn, const char *project, int limit, Rows **ret_rows, Error *err)
{
    char text[DECIMAL_TEXT];
    return conn_query(conn, sql_runs, 2, (const char *const[]){project, decimal_text(limit, text)}, ret_rows, err);
}

bool ledger_logs_run(Conn *conn, const char *project, int64_t run_id, Rows **ret_run, Error *err)
{
    char id[DECIMAL_TEXT];
    return conn_query(conn, sql_logs_run, 2, (const char *const[]){project, decimal_text(run_id, id)}, ret_run, err);
}

bool ledger_logs(Conn *conn, const char *project, int64_t run_id, Rows **ret_steps, Rows **ret_checks,
                 Rows **ret_failed_rows, Error *err)
{
    char id[DECIMAL_TEXT];
    const char *const params[] = {project, decimal_text(run_id, id)};
    return conn_query(conn, sql_logs_steps, 2, params, ret_steps, err) &&
           conn_query(conn, sql_logs_checks, 2, params, ret_checks, err) &&
           conn_query(conn, sql_logs_failed_rows, 2, params, ret_failed_rows, err);
}

static bool mark_lost(Conn *conn, const char *run_id, Error *err)
{
    return conn_query(
        conn,
        "with gone as (update sluice.runs set outcome = 'lost', error = 'the process that ran it is gone' "
        "where run_id = $1::bigint and outcome = 'running') "
        "update sluice.steps set outcome = 'lost', error = 'the process that ran it is gone' "
        "where run_id = $1::bigint and outcome = 'running'",
        1, (const char *const[]){run_id}, NULL, err);
}

bool ledger_mark_lost(Conn *conn, const char *project, Error *err)
{
    TEXT_AUTO(name);
    conn_session_name(project, 0, &name);
    ROWS_AUTO(rows);
    if (!conn_query(conn, sql_runs_running, 2, (const char *const[]){project, text_str(&name)}, &rows, err))
        return false;
    for (int i = 0; i < rows_count(rows); i++) {
        bool lost = rows_bool(rows, i, 2) || process_is_gone(rows_get(rows, i, 1));
        if (lost && !mark_lost(conn, rows_get(rows, i, 0), err))
            return false;
    }
    return true;
}
