#include "publish/table.h"

#include <inttypes.h>

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
        !conn_query(conn, sql_table_columns, 2, (const char *const[]){schema, name}, &rows, err))
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

const char *relkind_name(char relkind)
{
    switch (relkind) {
    case 'r':
    case 'p':
        return "table";
    case 'v':
        return "view";
    case 'm':
        return "materialized view";
    case 'f':
        return "foreign table";
    case 'S':
        return "sequence";
    case 'i':
        return "index";
    default:
        return "relation";
    }
}

bool table_stage_name(Conn *conn, const char *schema, int64_t run_id, Arena *arena, Table *ret, Error *err)
{
    *ret = (Table){.schema = arena_strdup(arena, schema), .name = arena_printf(arena, "sluice_stage_%" PRId64, run_id)};
    return quote(conn, ret, arena, err);
}

static void list(Text *out, const char *name, const char *type)
{
    text_appendf(out, "%s%s %s", out->len ? ", " : "", name, type);
}

bool table_same_columns(const Table *stage, const Table *target, const char *ignored, Error *err)
{
    TEXT_AUTO(added);
    TEXT_AUTO(gone);
    TEXT_AUTO(changed);
    for (size_t i = 0; i < stage->column_count; i++) {
        const TableColumn *new = &stage->columns[i], *old = table_column(target, new->name);
        if (!old || old->generated)
            list(&added, new->name, new->type);
        else if (!str_eq(old->type, new->type))
            text_appendf(&changed, "%s%s from %s to %s", changed.len ? ", " : "", new->name, old->type, new->type);
    }
    for (size_t i = 0; i < target->column_count; i++) {
        const TableColumn *old = &target->columns[i];
        if (!old->generated && !table_column(stage, old->name) && !str_eq(old->name, ignored))
            list(&gone, old->name, old->type);
    }
    if (!added.len && !gone.len && !changed.len)
        return true;
    TEXT_AUTO(what);
    text_appendf(&what, "%s%s", added.len ? "; new: " : "", text_str(&added));
    text_appendf(&what, "%s%s", gone.len ? "; no longer there: " : "", text_str(&gone));
    text_appendf(&what, "%s%s", changed.len ? "; changed: " : "", text_str(&changed));
    error_set(err, ERROR_FAILED, "the columns differ from those of %s.%s%s", target->schema, target->name,
              text_str(&what));
    return error_hint(err, "alter the table to match, or remove it with sluice drop: the next run makes it anew");
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
