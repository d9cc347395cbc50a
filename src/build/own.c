#include "build/own.h"

#include "pg/rows.h"
#include "publish/table.h"
#include "record/fence.h"
#include "record/ledger.h"
#include "record/statements.h"

static bool is_kind_of(const Node *node, char relkind)
{
    bool view = node->kind == NODE_MODEL && node->materialized == MATERIALIZED_VIEW;
    return view ? relkind == 'v' : relkind == 'r' || relkind == 'p';
}

/* Tables are kept up to date in whole or in part as the files say, and may change over. */
static bool same_kind(const char *made, const char *wanted)
{
    bool made_table = str_eq(made, "table") || str_eq(made, "incremental");
    bool wanted_table = str_eq(wanted, "table") || str_eq(wanted, "incremental");
    return made_table && wanted_table ? true : str_eq(made, wanted);
}

static bool not_ours(const Node *node, const Table *target, Error *err)
{
    error_at(err, ERROR_FAILED, node->place.file, node->place.line, 0,
             "%s.%s is there already, %s that sluice did not make", target->schema, target->name,
             relkind_one(target->relkind));
    if (!is_kind_of(node, target->relkind))
        return error_hint(err, "give %s another name with table:", node->name);
    return error_hint(err,
                      "sluice adopt %s makes it this project's own; or give it another name with table:", node->name);
}

bool own_check(const Project *project, const Node *node, const Table *target, const LedgerRelation *known, Error *err)
{
    if (!target->exists || node_is_external(node) || node_is_ephemeral(node))
        return true;
    if (!known->known)
        return not_ours(node, target, err);
    if (!str_eq(known->project, project->name)) {
        error_at(err, ERROR_FAILED, node->place.file, node->place.line, 0, "%s.%s belongs to the project %s",
                 target->schema, target->name, known->project);
        return error_hint(err,
                          "give it another name with table:, or another schema; if the project was renamed, sluice "
                          "adopt %s takes it over",
                          node->name);
    }
    bool same = same_kind(known->materialized, node_relation_kind(node));
    if (same && is_kind_of(node, target->relkind))
        return true;
    if (same) { /* somebody put another relation in its place: that is not ours to write */
        error_at(err, ERROR_FAILED, node->place.file, node->place.line, 0, "%s.%s is %s now, which sluice did not make",
                 target->schema, target->name, relkind_one(target->relkind));
        return error_hint(err, "put the %s back, or give %s another name with table:",
                          str_eq(known->materialized, "view") ? "view" : "table", node->name);
    }
    error_at(err, ERROR_FAILED, node->place.file, node->place.line, 0, "%s.%s was made as %s, and is to be %s now",
             target->schema, target->name, known->materialized, node_relation_kind(node));
    return error_hint(err, "sluice drop %s removes it; the next run makes it anew", node->name);
}

static bool can_adopt(const Project *project, const Node *node, const Table *table, const LedgerRelation *known,
                      Error *err)
{
    if (node_is_ephemeral(node) || node_is_external(node)) {
        error_set(err, ERROR_PROJECT, "%s makes no table of its own", node->name);
        return error_hint(err, "what others write is read as it is");
    }
    if (!table->exists) {
        error_set(err, ERROR_FAILED, "%s.%s is not there", table->schema, table->name);
        return error_hint(err, "there is nothing to adopt: sluice run %s makes it", node->name);
    }
    if (known->known && str_eq(known->project, project->name))
        return error_set(err, ERROR_FAILED, "%s.%s belongs to this project already", table->schema, table->name);
    if (is_kind_of(node, table->relkind))
        return true;
    error_set(err, ERROR_FAILED, "%s.%s is %s, and %s makes a %s", table->schema, table->name,
              relkind_one(table->relkind), node->name, node_relation_kind(node));
    return error_hint(err, "give %s another name with table:", node->name);
}

bool own_adopt(Conn *conn, const Project *project, const Node *node, Arena *arena, const char **ret_kind,
               const char **ret_from, Error *err)
{
    Table table;
    LedgerRelation known;
    LedgerOwner owner = {
        .project = project->name,
        .target = project->target.name,
        .node = node->name,
        .kind = node_kind_name(node),
        .materialized = node_relation_kind(node),
    };
    if (!table_find(conn, node->schema, node->table, arena, &table, err) ||
        !ledger_relation(conn, node->schema, node->table, arena, &known, err) ||
        !can_adopt(project, node, &table, &known, err) || !ledger_adopt(conn, &owner, node->schema, node->table, err))
        return false;
    *ret_kind = relkind_name(table.relkind);
    *ret_from = known.project;
    return true;
}

/* --- drop ------------------------------------------------------------------------------------------------------ */

/* name: of a node, of a relation, or SCHEMA.RELATION. */
static bool find_owned(Conn *conn, const Project *project, const char *name, Rows **ret_rows, Error *err)
{
    enum { NAMED_MAX = 10 };
    const Node *node = project_find(project, name);
    if (!conn_query(conn, sql_owned_relation, 5,
                    (const char *const[]){project->name, project->target.name, name, node ? node->schema : NULL,
                                          node ? node->table : NULL},
                    ret_rows, err))
        return false;
    if (rows_count(*ret_rows) == 1)
        return true;
    if (rows_count(*ret_rows) == 0) {
        error_set(err, ERROR_FAILED, "the ledger knows no table of this project by the name %s", name);
        return error_hint(err, "sluice plan lists those that are left over, sluice status all");
    }
    error_set(err, ERROR_FAILED, "%s stands for more than one table", name);
    TEXT_AUTO(all);
    for (int row = 0; row < rows_count(*ret_rows) && row < NAMED_MAX; row++)
        text_appendf(&all, "%s%s.%s", row ? ", " : "", rows_get(*ret_rows, row, 0), rows_get(*ret_rows, row, 1));
    text_append(&all, rows_count(*ret_rows) > NAMED_MAX ? " ..." : "");
    return error_hint(err, "name it with its schema: %s", text_str(&all));
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
    LedgerRelation known;
    if (!fence_lock_in_txn(conn, schema, table_name, 0, project->name, false, err) ||
        !table_find(conn, schema, table_name, arena, &table, err) ||
        !ledger_relation(conn, schema, table_name, arena, &known, err))
        return false;
    if (!known.known || !str_eq(known.project, project->name)) /* until we had the lock it was ours */
        return error_set(err, ERROR_FAILED, "%s.%s belongs to this project no more", schema, table_name);
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
