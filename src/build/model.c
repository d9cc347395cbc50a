#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "build/work.h"
#include "pg/rows.h"
#include "publish/diff.h"
#include "sql/place.h"
#include "sql/shadow.h"

/* A model's text inside the statement that makes its rows. */
typedef struct Query {
    Text text;
    const Node **nodes; /* of the map's parts: the ephemeral models, then the model itself */
    SqlMap map;
} Query;

static void query_clear(Query *query) { text_clear(&query->text); }
#define QUERY_AUTO(name) __attribute__((cleanup(query_clear))) Query name = {0}

static bool is_ephemeral(const Node *node)
{
    return node->kind == NODE_MODEL && node->materialized == MATERIALIZED_EPHEMERAL;
}

static SqlBody body_of(const Node *node)
{
    return (SqlBody){.text = node->sql, .length = strlen(node->sql), .lines_before = node->sql_line - 1};
}

/* By order in the project: which ephemeral models a node reads, directly or through others. What a node reads comes
 * before it, so one pass backwards finds them all. */
static bool *ephemeral_inputs(Work *work)
{
    const Project *project = work->build->project;
    bool *marked = arena_array(work->arena, project->node_count, sizeof(bool));
    for (size_t i = work->node->order + 1; i-- > 0;) {
        const Node *node = project->nodes[i];
        for (size_t j = 0; (node == work->node || marked[i]) && j < node->input_count; j++)
            marked[node->inputs[j]->order] = is_ephemeral(node->inputs[j]);
    }
    return marked;
}

/* Appends `with eph as (...) select * from (model) q`; query->text may begin with what stands before it. */
static bool append_query(Work *work, Query *query, Error *err)
{
    const Project *project = work->build->project;
    const bool *marked = ephemeral_inputs(work);
    SqlCte *ctes = arena_array(work->arena, project->node_count, sizeof(SqlCte));
    query->nodes = arena_array(work->arena, project->node_count + 1, sizeof(Node *));
    size_t count = 0;
    for (size_t i = 0; i < project->node_count; i++) {
        const Node *node = project->nodes[i];
        if (!marked[i])
            continue;
        TEXT_AUTO(name);
        if (!conn_format(work->build->conn, &name, err, "%I", node->table))
            return false;
        ctes[count] = (SqlCte){.name = arena_strdup(work->arena, text_str(&name)), .body = body_of(node)};
        query->nodes[count++] = node;
    }
    query->nodes[count] = work->node;
    sql_with_ctes(work->arena, &query->text, ctes, count, body_of(work->node), &query->map);
    return true;
}

/* The server's error, at its place in the model's file. */
static bool place_error(const Work *work, const Query *query, Error *err)
{
    size_t part;
    int line, column;
    if (err->code != ERROR_FAILED || err->file)
        return false;
    if (sql_map_place(&query->map, conn_error_position(work->build->conn), &part, &line, &column))
        return error_place(err, query->nodes[part]->place.file, line, column);
    return error_place(err, work->node->place.file, work->node->sql_line, 0);
}

static bool run_query(Work *work, const Query *query, int64_t *ret_rows, Error *err)
{
    if (conn_exec_counted(work->build->conn, text_str(&query->text), ret_rows, err))
        return true;
    return place_error(work, query, err);
}

/* Hash of the model's tokens and of those of the ephemeral models inside it. */
static const char *definition_of(Work *work)
{
    const Project *project = work->build->project;
    const bool *marked = ephemeral_inputs(work);
    TEXT_AUTO(text);
    text_append(&text, work->node->sql_hash);
    for (size_t i = 0; i < project->node_count; i++)
        if (marked[i])
            text_appendf(&text, "+%s", project->nodes[i]->sql_hash);
    return arena_strdup(work->arena, text_str(&text));
}

/* --- table and history ----------------------------------------------------------------------------------------- */

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
    QUERY_AUTO(query);
    text_appendf(&query.text, "create table %s as ", work->target.quoted);
    int64_t rows;
    bool history = work->node->materialized == MATERIALIZED_HISTORY; /* its key is one of each run by itself */
    if (!append_query(work, &query, err) || !run_query(work, &query, &rows, err) ||
        !(history || work_try_key(work, work->target.quoted, err)) ||
        !work_check(work, work->target.quoted, NULL, false, NULL, err))
        return false;
    work_count(work, rows, 0, 0);
    work->result->outcome = STEP_OK;
    work->result->total = work->total = rows;
    work->result->reason = "new table";
    return history ? add_created_at(work, err) : work_add_key(work, &work->target, err);
}

static bool append_run(Work *work, const Table *stage, DiffCounts *counts, Error *err)
{
    if (table_column(stage, "created_at"))
        return own_created_at(work, err);
    TEXT_AUTO(value);
    text_append(&value, ", ");
    if (!append_created_at(work, &value, err) ||
        !diff_append(work->build->conn, stage, &work->target, ", created_at", text_str(&value), counts, err))
        return false;
    TEXT_AUTO(prune);
    text_appendf(&prune, "delete from %s where created_at < ", work->target.quoted);
    if (!append_created_at(work, &prune, err))
        return false;
    text_appendf(&prune,
                 " - pg_catalog.make_interval(secs => %" PRId64 ") and created_at < (select max(created_at) from %s)",
                 work->node->keep / 1000000, work->target.quoted);
    return conn_exec_counted(work->build->conn, text_str(&prune), &counts->deleted, err);
}

static bool publish_stage(Work *work, const Table *stage, Error *err)
{
    Conn *conn = work->build->conn;
    const Node *node = work->node;
    DiffCounts counts = {0};
    bool good;
    if (node->materialized == MATERIALIZED_HISTORY)
        good = append_run(work, stage, &counts, err);
    else
        good = diff_apply(conn, stage, &work->target, &node->unique_key, true, work->arena, &counts, err);
    if (!good)
        return false;
    work_count(work, counts.inserted, counts.updated, counts.deleted);
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
    if (!table_stage_name(conn, work->target.schema, work->build->run_id, work->arena, &stage, err))
        return false;
    text_appendf(&query.text, "create unlogged table %s as ", stage.quoted);
    int64_t rows;
    if (!append_query(work, &query, err) || !run_query(work, &query, &rows, err) ||
        !(rows <= STAGE_SMALL || work_try_key(work, stage.quoted, err)) ||
        !work_check(work, stage.quoted, NULL, false, NULL, err) ||
        !table_find(conn, stage.schema, stage.name, work->arena, &stage, err) ||
        !table_same_columns(&stage, &work->target, node->materialized == MATERIALIZED_HISTORY ? "created_at" : NULL,
                            err))
        return false;
    work->result->total = work->total = rows;
    TEXT_AUTO(analyze);
    TEXT_AUTO(drop);
    text_appendf(&analyze, "analyze %s", stage.quoted);
    text_appendf(&drop, "drop table %s", stage.quoted);
    return (rows <= STAGE_SMALL || conn_exec(conn, text_str(&analyze), err)) && publish_stage(work, &stage, err) &&
           conn_exec(conn, text_str(&drop), err);
}

/* --- view ------------------------------------------------------------------------------------------------------ */

/* Columns gone, renamed or of another type: a view cannot be replaced by that. Where nothing depends on it, it is
 * dropped and made again; who may read it is kept. */
static bool recreate_view(Work *work, const Query *query, Error *err)
{
    Conn *conn = work->build->conn;
    ROWS_AUTO(grants);
    if (!conn_exec(conn, "rollback to savepoint sluice_view", err) ||
        !conn_query(conn,
                    "select 'grant ' || a.privilege_type || ' on ' || c.oid::regclass || ' to ' || "
                    "case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end || "
                    "case when a.is_grantable then ' with grant option' else '' end "
                    "from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a "
                    "where c.oid = $1::regclass and a.grantee <> c.relowner",
                    1, (const char *const[]){work->target.quoted}, &grants, err))
        return false;
    TEXT_AUTO(drop);
    text_appendf(&drop, "drop view %s", work->target.quoted);
    if (!conn_exec(conn, text_str(&drop), err))
        return str_eq(err->sqlstate, "2BP01") ? error_hint(err, "the columns of the view change, and what depends on "
                                                                "it would break: drop that first")
                                              : false;
    int64_t none;
    if (!run_query(work, query, &none, err))
        return false;
    for (int i = 0; i < rows_count(grants); i++)
        if (!conn_exec(conn, rows_get(grants, i, 0), err))
            return false;
    return true;
}

static bool replace_view(Work *work, const Query *query, Error *err)
{
    int64_t none;
    if (run_query(work, query, &none, err))
        return true;
    if (!str_eq(err->sqlstate, "42P16"))
        return false;
    error_clear(err);
    return recreate_view(work, query, err);
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
    if (!append_query(work, &query, err))
        return false;
    int64_t none;
    return work->target.exists ? replace_view_patiently(work, &query, err) : run_query(work, &query, &none, err);
}

static bool make_view(Work *work, Error *err)
{
    bool same = work->target.exists && str_eq(work->known.definition, work->definition);
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

bool work_model(Work *work, Error *err)
{
    work->definition = definition_of(work);
    if (work->node->materialized == MATERIALIZED_VIEW)
        return make_view(work, err);
    bool good = work->target.exists ? remake(work, err) : make_new(work, err);
    if (!good && err->code == ERROR_FAILED && !err->file)
        error_place(err, work->node->place.file, work->node->place.line, 0);
    return good;
}
