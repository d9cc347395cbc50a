#include "build/own.h"

#include "pg/rows.h"
#include "publish/table.h"
#include "record/fence.h"
#include "record/ledger.h"

static bool can_adopt(const Table *table, const LedgerRelation *known, const Node *node, Error *err)
{
    bool view = node->kind == NODE_MODEL && node->materialized == MATERIALIZED_VIEW;
    bool ephemeral = node->kind == NODE_MODEL && node->materialized == MATERIALIZED_EPHEMERAL;
    if (ephemeral || (node->kind == NODE_SOURCE && !node->csv))
        return error_set(err, ERROR_PROJECT, "%s makes no table of its own", node->name);
    if (!table->exists) {
        error_set(err, ERROR_FAILED, "%s.%s is not there", table->schema, table->name);
        return error_hint(err, "there is nothing to adopt: sluice run %s makes it", node->name);
    }
    if (known->known)
        return error_set(err, ERROR_FAILED, "%s.%s belongs to the project %s already", table->schema, table->name,
                         known->project);
    if (view != (table->relkind == 'v') || (!view && table->relkind != 'r' && table->relkind != 'p'))
        return error_set(err, ERROR_FAILED, "%s.%s is a %s, and %s makes a %s", table->schema, table->name,
                         relkind_name(table->relkind), node->name, view ? "view" : "table");
    return true;
}

bool own_adopt(Conn *conn, const Project *project, const Node *node, const char **ret_kind, Error *err)
{
    Arena arena;
    arena_init(&arena);
    Table table;
    LedgerRelation known;
    bool good = table_find(conn, node->schema, node->table, &arena, &table, err) &&
                ledger_relation(conn, node->schema, node->table, &arena, &known, err) &&
                can_adopt(&table, &known, node, err) &&
                ledger_adopt(conn, project->name, node->schema, node->table, node->name, node_kind_name(node),
                             node->kind == NODE_MODEL ? materialized_name(node->materialized) : "table", err);
    *ret_kind = good ? relkind_name(table.relkind) : NULL;
    arena_clear(&arena);
    return good;
}

/* --- drop ------------------------------------------------------------------------------------------------------ */

static bool find_owned(Conn *conn, const Project *project, const char *name, Rows **ret_rows, Error *err)
{
    const Node *node = project_find(project, name);
    if (!conn_query(conn,
                    "select schema_name, table_name from sluice.relations where project = $1 and "
                    "case when $3::text is null then node = $2 or table_name = $2 "
                    "else schema_name = $3 and table_name = $4 end order by 1, 2",
                    4,
                    (const char *const[]){project->name, name, node ? node->schema : NULL, node ? node->table : NULL},
                    ret_rows, err))
        return false;
    if (rows_count(*ret_rows) == 1)
        return true;
    if (rows_count(*ret_rows) > 1)
        return error_set(err, ERROR_FAILED, "%s stands for more than one table", name);
    error_set(err, ERROR_FAILED, "the ledger knows no table of this project by the name %s", name);
    return error_hint(err, "sluice status lists those that it owns");
}

static bool drop_relation(Conn *conn, const Table *table, Text *ret_what, Error *err)
{
    text_appendf(ret_what, "%s %s", relkind_name(table->relkind), table->quoted);
    TEXT_AUTO(sql);
    text_appendf(&sql, "drop %s %s", table->relkind == 'v' ? "view" : "table", table->quoted);
    if (conn_exec(conn, text_str(&sql), err))
        return true;
    return str_eq(err->sqlstate, "2BP01") ? error_hint(err, "drop what depends on it first") : false;
}

static bool drop_in_txn(Conn *conn, const Project *project, const char *name, Arena *arena, Text *ret_what, Error *err)
{
    ROWS_AUTO(owned);
    if (!find_owned(conn, project, name, &owned, err))
        return false;
    const char *schema = rows_get(owned, 0, 0), *table_name = rows_get(owned, 0, 1);
    Table table;
    if (!fence_lock_in_txn(conn, schema, table_name, 0, project->name, false, err) ||
        !table_find(conn, schema, table_name, arena, &table, err))
        return false;
    if (table.exists && !drop_relation(conn, &table, ret_what, err))
        return false;
    if (!table.exists)
        text_appendf(ret_what, "%s, which was gone already", table.quoted);
    return ledger_forget_in_txn(conn, schema, table_name, err);
}

bool own_drop(Conn *conn, const Project *project, const char *name, Text *ret_what, Error *err)
{
    Arena arena;
    arena_init(&arena);
    TxnOptions options = {.schema = project->target.schema, .lock_timeout = 10 * 1000};
    bool good = conn_begin(conn, &options, err) && drop_in_txn(conn, project, name, &arena, ret_what, err) &&
                conn_commit(conn, err);
    if (!good)
        conn_rollback(conn);
    arena_clear(&arena);
    return good;
}
