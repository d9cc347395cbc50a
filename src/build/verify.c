#include "build/verify.h"

#include <string.h>

#include "build/query.h"
#include "pg/rows.h"
#include "publish/table.h"
#include "record/change.h"
#include "record/ledger.h"

bool verdict_equal(const Verdict *verdict)
{
    return verdict->missing[0].count + verdict->missing[1].count + verdict->retyped_count == 0 &&
           compare_equal(&verdict->comparison);
}

bool verify_applies(const Node *node, const char **ret_why)
{
    *ret_why = NULL;
    if (node->kind == NODE_SOURCE)
        *ret_why = "a source has no query";
    else if (node->materialized == MATERIALIZED_VIEW)
        *ret_why = "a view is its query";
    else if (node->materialized == MATERIALIZED_EPHEMERAL)
        *ret_why = "an ephemeral model has no table";
    else if (node->materialized == MATERIALIZED_HISTORY)
        *ret_why = "a history holds the results of other days";
    return !*ret_why;
}

static void add_string(Arena *arena, Strings *strings, size_t room, const char *item)
{
    if (!strings->items)
        strings->items = arena_array(arena, room + 1, sizeof *strings->items);
    strings->items[strings->count++] = arena_strdup(arena, item);
}

/* --- columns --------------------------------------------------------------------------------------------------- */

/* The columns of a query, as a table without rows would have them: the query is planned, and not run. */
static bool query_columns(Conn *conn, const Project *project, const Node *node, Arena *arena, Table *ret, Error *err)
{
    QUERY_AUTO(query);
    text_append(&query.text, "select x.* from (");
    if (!query_append(conn, project, node, arena, &query, err))
        return false;
    text_append(&query.text, ") x limit 0");
    ROWS_AUTO(rows);
    if (!query_rows(conn, &query, &rows, err))
        return false;
    size_t count = (size_t)rows_columns(rows);
    ret->columns = arena_array(arena, count + 1, sizeof *ret->columns);
    for (size_t i = 0; i < count; i++)
        ret->columns[ret->column_count++] = (TableColumn){.name = arena_strdup(arena, rows_name(rows, (int)i))};
    return true;
}

/* Their types, without modifiers: a row of nulls beside no row at all. */
static bool query_types(Conn *conn, const Project *project, const Node *node, Arena *arena, Table *table, Error *err)
{
    QUERY_AUTO(query);
    text_append(&query.text, "select null");
    for (size_t i = 0; i < table->column_count; i++)
        if (!conn_format(conn, &query.text, err, ", pg_catalog.pg_typeof(x.%I)", table->columns[i].name))
            return false;
    text_append(&query.text, " from (select 1) sluice_one left join (select * from (");
    if (!query_append(conn, project, node, arena, &query, err))
        return false;
    text_append(&query.text, ") y limit 0) x on true");
    ROWS_AUTO(rows);
    if (!query_rows(conn, &query, &rows, err))
        return false;
    for (size_t i = 0; i < table->column_count; i++)
        table->columns[i].type = arena_strdup(arena, rows_get(rows, 0, (int)i + 1));
    return true;
}

/* pg_typeof() knows no numeric(10,2): a type's name up to its modifier, and what stands after it. */
static bool same_type(const char *a, const char *b)
{
    while (*a || *b) {
        a += *a == '(' ? strcspn(a, ")") + 1 : 0;
        b += *b == '(' ? strcspn(b, ")") + 1 : 0;
        if (*a != *b)
            return false;
        if (!*a)
            return true;
        a++;
        b++;
    }
    return true;
}

static bool is_key(const Node *node, const char *name)
{
    for (size_t i = 0; i < node->unique_key.count; i++)
        if (str_eq(node->unique_key.items[i], name))
            return true;
    return node->unique_key.count == 0 && str_eq(node->time_column, name);
}

/* both: a column that only one side has is a difference on either side; else only what side 0 lacks is. */
static void match_columns(const Node *node, const Table sides[2], bool both, Arena *arena, Verdict *ret)
{
    const Table *left = &sides[0], *right = &sides[1];
    CompareColumn *columns = arena_array(arena, right->column_count + 1, sizeof *columns);
    ret->retyped = arena_array(arena, right->column_count + 1, sizeof *ret->retyped);
    ret->columns = columns;
    for (size_t i = 0; i < right->column_count; i++) {
        const TableColumn *new = &right->columns[i], *old = table_column(left, new->name);
        if (new->generated || (old && old->generated))
            continue;
        if (!old) {
            add_string(arena, &ret->missing[0], right->column_count, new->name);
            continue;
        }
        if (!same_type(old->type, new->type))
            ret->retyped[ret->retyped_count++] = arena_printf(arena, "%s: %s, and %s", new->name, old->type, new->type);
        columns[ret->column_count++] =
            (CompareColumn){.name = new->name, .kind = compare_float(old->type), .key = is_key(node, new->name)};
    }
    for (size_t i = 0; both && i < left->column_count; i++)
        if (!left->columns[i].generated && !table_column(right, left->columns[i].name))
            add_string(arena, &ret->missing[1], left->column_count, left->columns[i].name);
}

/* --- a table and its query ------------------------------------------------------------------------------------- */

/* Not taken out of the snapshot: a lock needs none, and after it no TRUNCATE comes between. What others make may be of
 * a kind that cannot be locked. */
static bool lock(Conn *conn, const Node *node, Error *err)
{
    TEXT_AUTO(sql);
    if (!conn_format(conn, &sql, err, "lock table %I.%I", node->schema, node->table))
        return false;
    for (size_t i = 0; i < node->input_count; i++) {
        const Node *input = node->inputs[i];
        if (!node_is_ephemeral(input) && !node_is_external(input) &&
            !conn_format(conn, &sql, err, ", %I.%I", input->schema, input->table))
            return false;
    }
    text_append(&sql, " in access share mode");
    if (conn_exec(conn, text_str(&sql), err))
        return true;
    if (str_eq(err->sqlstate, "42P01")) {
        error_place(err, node->place.file, node->place.line, 0);
        error_hint(err, "sluice run +%s makes it", node->name);
    }
    return false;
}

/* --- whether the table is behind --------------------------------------------------------------------------------- */

/* The tables that a model reads, through views and ephemeral models; what it reads stands before it in the order. */
static size_t read_tables(const Project *project, const Node *node, Arena *arena, const Node ***ret)
{
    bool *wanted CLEANUP(mem_free_p) = mem_alloc(node->order + 1);
    *ret = arena_array(arena, node->order + 1, sizeof **ret);
    size_t count = 0;
    wanted[node->order] = true;
    for (size_t i = node->order + 1; i-- > 0;) {
        const Node *at = project->nodes[i];
        bool through = at == node || node_is_query(at);
        if (wanted[i] && !through)
            (*ret)[count++] = at;
        for (size_t j = 0; wanted[i] && through && j < at->input_count; j++)
            wanted[at->inputs[j]->order] = true;
    }
    return count;
}

static bool find_changed(Conn *conn, const Project *project, const Node *node, const LedgerRelation *known,
                         Arena *arena, Text *changed, Error *err)
{
    const Node **inputs;
    size_t count = read_tables(project, node, arena, &inputs);
    ChangeRequest *requests = arena_array(arena, count + 1, sizeof *requests);
    Touched *touched = arena_array(arena, count + 1, sizeof *touched);
    for (size_t i = 0; i < count; i++)
        requests[i] = (ChangeRequest){.table = {.schema = inputs[i]->schema, .name = inputs[i]->table},
                                      .snapshot = known->snapshot};
    if (count && !change_pending(conn, requests, count, touched, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!touched_nothing(&touched[i]))
            text_appendf(changed, "%s%s", changed->len ? ", " : "", inputs[i]->name);
    return true;
}

static bool find_note(Conn *conn, const Project *project, const Node *node, Arena *arena, const char **ret, Error *err)
{
    bool exists;
    LedgerRelation known;
    TEXT_AUTO(changed);
    if (!ledger_exists(conn, &exists, err) || !exists ||
        !ledger_relation(conn, node->schema, node->table, arena, &known, err) || !known.known)
        return false;
    if (known.definition && !str_eq(known.definition, query_definition(project, node, arena)))
        *ret = arena_printf(arena, "its query has changed since; run first: sluice run %s", node->name);
    else if (known.taken_back)
        *ret = arena_printf(arena, "its last publish was taken back; run first: sluice run %s", node->name);
    else if (!known.snapshot || !find_changed(conn, project, node, &known, arena, &changed, err))
        return false;
    else if (changed.len)
        *ret = arena_printf(arena, "%s changed since; run first: sluice run %s", text_str(&changed), node->name);
    return true;
}

/* A word beside the verdict, from a ledger that may be of another version: without one, none. */
static bool add_note(Conn *conn, const Project *project, const Node *node, Arena *arena, Verdict *ret, Error *err)
{
    ERROR_AUTO(ignored);
    if (find_note(conn, project, node, arena, &ret->note, &ignored) || ignored.code == ERROR_NONE ||
        ignored.code == ERROR_FAILED)
        return true;
    error_move(err, &ignored);
    return false;
}

static bool verify_in_txn(Conn *conn, const Project *project, const Node *node, size_t limit, Arena *arena,
                          Verdict *ret, Error *err)
{
    Table sides[2] = {{0}};
    if (!lock(conn, node, err) || !table_find(conn, node->schema, node->table, arena, &sides[0], err) ||
        !query_columns(conn, project, node, arena, &sides[1], err) ||
        !query_types(conn, project, node, arena, &sides[1], err))
        return false;
    match_columns(node, sides, false, arena, ret);
    if (node->on_schema_change == SCHEMA_IGNORE)
        ret->missing[0].count = 0;
    CompareSide pair[2] = {{.conn = conn, .project = project, .quoted = sides[0].quoted},
                           {.conn = conn, .project = project, .query = node}};
    return compare_run(pair, ret->columns, ret->column_count, limit, arena, &ret->comparison, err) &&
           add_note(conn, project, node, arena, ret, err);
}

static TxnOptions txn_options(const Project *project)
{
    return (TxnOptions){
        .schema = project->target.schema, .timezone = project->timezone, .repeatable_read = true, .read_only = true};
}

bool verify_node(Conn *conn, const Project *project, const Node *node, size_t limit, Arena *arena, Verdict *ret,
                 Error *err)
{
    *ret = (Verdict){0};
    TxnOptions options = txn_options(project);
    bool good = conn_begin(conn, &options, err) && verify_in_txn(conn, project, node, limit, arena, ret, err);
    conn_rollback(conn);
    return good;
}

/* --- two targets ----------------------------------------------------------------------------------------------- */

static bool find_table(const VerifyTarget *target, Arena *arena, Table *ret, Error *err)
{
    TxnOptions options = txn_options(target->project);
    const Node *node = target->node;
    if (!conn_begin(target->conn, &options, err) ||
        !table_find(target->conn, node->schema, node->table, arena, ret, err))
        return false;
    if (ret->exists)
        return true;
    error_set(err, ERROR_FAILED, "%s.%s is not there in target %s", node->schema, node->table,
              target->project->target.name);
    return error_hint(err, "sluice --target %s run %s makes it", target->project->target.name, node->name);
}

static bool verify_in_txns(const VerifyTarget targets[2], size_t limit, Arena *arena, Verdict *ret, Error *err)
{
    Table sides[2] = {{0}};
    if (!find_table(&targets[0], arena, &sides[0], err) || !find_table(&targets[1], arena, &sides[1], err))
        return false;
    match_columns(targets[0].node, sides, true, arena, ret);
    CompareSide pair[2];
    for (int i = 0; i < 2; i++)
        pair[i] = (CompareSide){.conn = targets[i].conn, .project = targets[i].project, .quoted = sides[i].quoted};
    return compare_run(pair, ret->columns, ret->column_count, limit, arena, &ret->comparison, err);
}

bool verify_targets(const VerifyTarget targets[2], size_t limit, Arena *arena, Verdict *ret, Error *err)
{
    *ret = (Verdict){0};
    bool good = verify_in_txns(targets, limit, arena, ret, err);
    conn_rollback(targets[0].conn);
    conn_rollback(targets[1].conn);
    return good;
}
