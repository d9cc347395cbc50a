#include "publish/table.h"

#include <inttypes.h>
#include <string.h>

#include "pg/rows.h"
#include "record/statements.h"

static bool quote(Conn *conn, Table *table, Arena *arena, Error *err)
{
    TEXT_AUTO(quoted);
    if (!conn_format(conn, &quoted, err, "%I.%I", table->schema, table->name))
        return false;
    table->quoted = arena_strdup(arena, text_str(&quoted));
    return true;
}

bool table_find(Conn *conn, const char *schema, const char *name, Arena *arena, Table *ret, Error *err)
{
    *ret = (Table){.schema = arena_strdup(arena, schema), .name = arena_strdup(arena, name)};
    ROWS_AUTO(rows);
    if (!quote(conn, ret, arena, err) ||
        !conn_query_often(conn, sql_table_columns, 2, (const char *const[]){schema, name}, &rows, err))
        return false;
    int count = rows_count(rows);
    if (count == 0)
        return true;
    ret->exists = true;
    ret->relkind = rows_get(rows, 0, 4)[0];
    ret->columns = arena_array(arena, (size_t)count, sizeof(TableColumn));
    for (int i = 0; i < count && rows_get(rows, i, 0); i++)
        ret->columns[ret->column_count++] = (TableColumn){
            .name = arena_strdup(arena, rows_get(rows, i, 0)),
            .type = arena_strdup(arena, rows_get(rows, i, 1)),
            .generated = rows_bool(rows, i, 2),
            .not_null = rows_bool(rows, i, 3),
        };
    return true;
}

const TableColumn *table_column(const Table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (str_eq(table->columns[i].name, name))
            return &table->columns[i];
    return NULL;
}

const char *relkind_one(char relkind)
{
    switch (relkind) {
    case 'r':
    case 'p':
        return "a table";
    case 'v':
        return "a view";
    case 'm':
        return "a materialized view";
    case 'f':
        return "a foreign table";
    case 'S':
        return "a sequence";
    case 'i':
    case 'I':
        return "an index";
    case 'c':
        return "a composite type";
    default:
        return "a relation";
    }
}

const char *relkind_name(char relkind) { return strchr(relkind_one(relkind), ' ') + 1; }

bool table_stage_name(Conn *conn, const char *schema, int64_t step_id, Arena *arena, Table *ret, Error *err)
{
    *ret =
        (Table){.schema = arena_strdup(arena, schema), .name = arena_printf(arena, "sluice_stage_%" PRId64, step_id)};
    return quote(conn, ret, arena, err);
}

static bool exec_on(Conn *conn, const char *verb, const Table *stage, Error *err)
{
    TEXT_AUTO(sql);
    text_appendf(&sql, "%s %s", verb, stage->quoted);
    return conn_exec(conn, text_str(&sql), err);
}

bool table_stage_analyze(Conn *conn, const Table *stage, int64_t rows, Error *err)
{
    return rows <= TABLE_SMALL || exec_on(conn, "analyze", stage, err);
}

bool table_stage_drop(Conn *conn, const Table *stage, Error *err) { return exec_on(conn, "drop table", stage, err); }

/* What differs between the columns of two tables, for people and as the actions of an ALTER TABLE. */
typedef struct Difference {
    Text added, gone, changed;
    Text actions;
} Difference;

static void difference_clear(Difference *d)
{
    text_clear(&d->added);
    text_clear(&d->gone);
    text_clear(&d->changed);
    text_clear(&d->actions);
}

static const char *comma(const Text *text) { return text->len ? ", " : ""; }

static bool compare_new(Conn *conn, const TableColumn *new, const TableColumn *old, Difference *d, Error *err)
{
    if (old && !old->generated && str_eq(old->type, new->type))
        return true;
    if (old && !old->generated) {
        text_appendf(&d->changed, "%s%s from %s to %s", comma(&d->changed), new->name, old->type, new->type);
        return conn_format(conn, &d->actions, err, "%salter column %I type %s", comma(&d->actions), new->name,
                           new->type);
    }
    text_appendf(&d->added, "%s%s %s", comma(&d->added), new->name, new->type);
    return conn_format(conn, &d->actions, err, "%sadd column %I %s", comma(&d->actions), new->name, new->type);
}

static bool compare_columns(Conn *conn, const Table *stage, const Table *target, const char *ignored, Difference *d,
                            Error *err)
{
    for (size_t i = 0; i < stage->column_count; i++)
        if (!compare_new(conn, &stage->columns[i], table_column(target, stage->columns[i].name), d, err))
            return false;
    for (size_t i = 0; i < target->column_count; i++) {
        const TableColumn *old = &target->columns[i];
        if (old->generated || table_column(stage, old->name) || str_eq(old->name, ignored))
            continue;
        text_appendf(&d->gone, "%s%s %s", comma(&d->gone), old->name, old->type);
        if (!conn_format(conn, &d->actions, err, "%sdrop column %I", comma(&d->actions), old->name))
            return false;
    }
    return true;
}

bool table_same_columns(Conn *conn, const Table *stage, const Table *target, const char *ignored, Text *statements,
                        Error *err)
{
    Difference d __attribute__((cleanup(difference_clear))) = {0};
    if (!compare_columns(conn, stage, target, ignored, &d, err))
        return false;
    if (!d.actions.len)
        return true;
    text_appendf(statements, "alter table %s %s", target->quoted, text_str(&d.actions));
    TEXT_AUTO(what);
    text_appendf(&what, "%s%s", d.added.len ? "; new: " : "", text_str(&d.added));
    text_appendf(&what, "%s%s", d.gone.len ? "; no longer there: " : "", text_str(&d.gone));
    text_appendf(&what, "%s%s", d.changed.len ? "; changed: " : "", text_str(&d.changed));
    return error_set(err, ERROR_FAILED, "the columns differ from those of %s.%s%s", target->schema, target->name,
                     text_str(&what));
}

bool table_names(Conn *conn, const Strings *names, const char *prefix, const char *suffix, const char *between,
                 Text *out, Error *err)
{
    for (size_t i = 0; i < names->count; i++)
        if (!conn_format(conn, out, err, "%s%s%I%s", i ? between : "", prefix, names->items[i], suffix))
            return false;
    return true;
}

bool table_column_list(Conn *conn, const Table *table, const char *prefix, Text *out, Error *err)
{
    bool some = false;
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].generated)
            continue;
        if (!conn_format(conn, out, err, "%s%s%I", some ? ", " : "", prefix, table->columns[i].name))
            return false;
        some = true;
    }
    return true;
}
