#include "publish/dress.h"

#include "base/text.h"
#include "pg/rows.h"
#include "record/array.h"
#include "record/statements.h"

/* What is asked for, as the arrays that sql/dress.sql takes. */
typedef struct Wanted {
    Array indexes, privileges, roles, columns, comments;
    const Grant **grants; /* of each role, in the order of roles */
    size_t grant_count;
    const char *index_text, *privilege_text, *role_text, *column_text, *comment_text; /* once all is added */
} Wanted;

static void wanted_clear(Wanted *wanted)
{
    array_clear(&wanted->indexes);
    array_clear(&wanted->privileges);
    array_clear(&wanted->roles);
    array_clear(&wanted->columns);
    array_clear(&wanted->comments);
    mem_free_p(&wanted->grants);
}

/* --- what is asked for ----------------------------------------------------------------------------------------- */

static bool no_column(const Table *table, const Place *place, const char *name, Error *err)
{
    const char **names = mem_resize(NULL, table->column_count + 1, sizeof *names);
    for (size_t i = 0; i < table->column_count; i++)
        names[i] = table->columns[i].name;
    const char *near = nearest(name, names, table->column_count);
    error_at(err, ERROR_FAILED, place->file, place->line, place->column, "%s.%s has no column \"%s\"", table->schema,
             table->name, name);
    if (near)
        error_hint(err, "did you mean \"%s\"?", near);
    mem_free_p(&names);
    return false;
}

static bool add_indexes(const Node *node, const Table *table, Wanted *wanted, Error *err)
{
    for (size_t i = 0; i < node->index_count; i++) {
        ARRAY_AUTO(columns);
        for (size_t c = 0; c < node->indexes[i].count; c++) {
            if (!table_column(table, node->indexes[i].items[c])) {
                no_column(table, &node->place, node->indexes[i].items[c], err);
                return error_prefix(err, "indexes: ");
            }
            array_add(&columns, node->indexes[i].items[c]);
        }
        array_add(&wanted->indexes, array_str(&columns));
    }
    return true;
}

static void add_grants(const Node *node, Wanted *wanted)
{
    size_t count = 0;
    for (size_t i = 0; i < node->grant_count; i++)
        count += node->grants[i].roles.count;
    wanted->grants = mem_resize(NULL, count + 1, sizeof *wanted->grants);
    for (size_t i = 0; i < node->grant_count; i++)
        for (size_t r = 0; r < node->grants[i].roles.count; r++) {
            array_add(&wanted->privileges, node->grants[i].privilege);
            array_add(&wanted->roles, node->grants[i].roles.items[r]);
            wanted->grants[wanted->grant_count++] = &node->grants[i];
        }
}

static bool add_comment(const Table *table, const char *name, const char *text, const Place *place, Wanted *wanted,
                        Error *err)
{
    if (*name && !table_column(table, name))
        return no_column(table, place, name, err);
    if (!text || !*text)
        return true;
    array_add(&wanted->columns, name);
    array_add(&wanted->comments, text);
    return true;
}

static bool add_comments(const Node *node, const Table *table, Wanted *wanted, Error *err)
{
    if (!add_comment(table, "", node->description, &node->place, wanted, err))
        return false;
    for (size_t i = 0; i < node->column_note_count; i++) {
        const ColumnNote *note = &node->column_notes[i];
        if (!add_comment(table, note->name, note->description, &note->place, wanted, err))
            return false;
    }
    for (size_t i = 0; i < node->column_count; i++) {
        const Column *column = &node->columns[i];
        if (!add_comment(table, column->name, column->description, &column->place, wanted, err))
            return false;
    }
    return true;
}

/* --- what is done ---------------------------------------------------------------------------------------------- */

static bool no_role(const Wanted *wanted, int64_t nth, const char *role, Error *err)
{
    const Place *place = &wanted->grants[nth - 1]->place;
    error_at(err, ERROR_FAILED, place->file, place->line, place->column, "there is no role \"%s\" on the server", role);
    return error_hint(err, "create role makes one; public stands for everybody");
}

static bool act(Conn *conn, const Wanted *wanted, const char *kind, int64_t nth, const char *statement, Error *err)
{
    if (str_eq(kind, "no role"))
        return no_role(wanted, nth, statement, err);
    if (!statement) /* what it was about is gone: only to be forgotten */
        return true;
    if (str_eq(kind, "drop index"))
        return table_exec_short(conn, statement, err);
    if (conn_exec(conn, statement, err))
        return true;
    if (str_eq(kind, "grant") && err->code == ERROR_FAILED) {
        const Place *place = &wanted->grants[nth - 1]->place;
        error_place(err, place->file, place->line, place->column);
    }
    return false;
}

static bool remember(Conn *conn, const Table *table, const Wanted *wanted, Array *given, Error *err)
{
    return conn_query(conn, sql_dress_remember, 6,
                      (const char *const[]){table->schema, table->name, wanted->privilege_text, wanted->role_text,
                                            array_str(given), wanted->column_text},
                      NULL, err);
}

static bool put_on(Conn *conn, const Table *table, const Wanted *wanted, bool *ret_changed, Error *err)
{
    ROWS_AUTO(rows);
    ARRAY_AUTO(given);
    if (!conn_query_often(conn, sql_dress, 8,
                          (const char *const[]){table->quoted, wanted->index_text, wanted->privilege_text,
                                                wanted->role_text, wanted->column_text, wanted->comment_text,
                                                table->schema, table->name},
                          &rows, err))
        return false;
    for (int i = 0; i < rows_count(rows); i++) {
        const char *kind = rows_get(rows, i, 0);
        if (!act(conn, wanted, kind, rows_int(rows, i, 1), rows_get(rows, i, 2), err))
            return false;
        if (str_eq(kind, "grant"))
            array_add_int(&given, rows_int(rows, i, 1));
    }
    *ret_changed = rows_count(rows) > 0;
    return !*ret_changed || remember(conn, table, wanted, &given, err);
}

bool dress_asked(const Node *node)
{
    for (size_t i = 0; i < node->column_count; i++)
        if (node->columns[i].description)
            return true;
    return node->index_count > 0 || node->grant_count > 0 || node->description || node->column_note_count > 0;
}

bool dress(Conn *conn, const Node *node, const Table *table, bool *ret_changed, Error *err)
{
    Wanted wanted __attribute__((cleanup(wanted_clear))) = {0};
    *ret_changed = false;
    if (table->relkind != 'v' && !add_indexes(node, table, &wanted, err))
        return false;
    add_grants(node, &wanted);
    if (!add_comments(node, table, &wanted, err))
        return false;
    wanted.index_text = array_str(&wanted.indexes);
    wanted.privilege_text = array_str(&wanted.privileges);
    wanted.role_text = array_str(&wanted.roles);
    wanted.column_text = array_str(&wanted.columns);
    wanted.comment_text = array_str(&wanted.comments);
    return put_on(conn, table, &wanted, ret_changed, err);
}
