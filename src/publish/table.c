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
    ret->relkind = rows_get(rows, 0, 3)[0];
    ret->columns = arena_array(arena, (size_t)count, sizeof(TableColumn));
    for (int i = 0; i < count && rows_get(rows, i, 0); i++)
        ret->columns[ret->column_count++] = (TableColumn){
            .name = arena_strdup(arena, rows_get(rows, i, 0)),
            .type = arena_strdup(arena, rows_get(rows, i, 1)),
            .generated = rows_bool(rows, i, 2),
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
    return rows <= TABLE_SMALL || exec_on(conn, "set local default_statistics_target = 10; analyze", stage, err);
}

bool table_stage_drop(Conn *conn, const Table *stage, Error *err) { return exec_on(conn, "drop table", stage, err); }

/* What differs between the columns of two tables, for people and as the actions of an ALTER TABLE. */
typedef struct Difference {
    Text added, gone, changed;
    Text actions;
    Text adding;    /* those of the actions that add */
    bool with_cast; /* a change of type says by which cast */
} Difference;

static void difference_clear(Difference *d)
{
    text_clear(&d->added);
    text_clear(&d->gone);
    text_clear(&d->changed);
    text_clear(&d->actions);
    text_clear(&d->adding);
}

static const char *comma(const Text *text) { return text->len ? ", " : ""; }

static bool compare_new(Conn *conn, const TableColumn *new, const TableColumn *old, Difference *d, Error *err)
{
    if (old && !old->generated && str_eq(old->type, new->type))
        return true;
    if (old && !old->generated) {
        text_appendf(&d->changed, "%s%s from %s to %s", comma(&d->changed), new->name, old->type, new->type);
        return conn_format(conn, &d->actions, err, "%salter column %I type %s", comma(&d->actions), new->name,
                           new->type) &&
               (!d->with_cast || conn_format(conn, &d->actions, err, " using %I::%s", new->name, new->type));
    }
    text_appendf(&d->added, "%s%s %s", comma(&d->added), new->name, new->type);
    return conn_format(conn, &d->actions, err, "%sadd column %I %s", comma(&d->actions), new->name, new->type) &&
           conn_format(conn, &d->adding, err, "%sadd column %I %s", comma(&d->adding), new->name, new->type);
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

static bool refuse_difference(const Table *target, const Difference *d, Text *statements, Error *err)
{
    text_appendf(statements, "alter table %s %s", target->quoted, text_str(&d->actions));
    TEXT_AUTO(what);
    text_appendf(&what, "%s%s", d->added.len ? "; new: " : "", text_str(&d->added));
    text_appendf(&what, "%s%s", d->gone.len ? "; no longer there: " : "", text_str(&d->gone));
    text_appendf(&what, "%s%s", d->changed.len ? "; changed: " : "", text_str(&d->changed));
    return error_set(err, ERROR_FAILED, "the columns differ from those of %s.%s%s", target->schema, target->name,
                     text_str(&what));
}

bool table_same_columns(Conn *conn, const Table *stage, const Table *target, const char *ignored, Text *statements,
                        Error *err)
{
    Difference d __attribute__((cleanup(difference_clear))) = {0};
    return compare_columns(conn, stage, target, ignored, &d, err) &&
           (!d.actions.len || refuse_difference(target, &d, statements, err));
}

bool table_exec_short(Conn *conn, const char *statement, Error *err)
{
    TEXT_AUTO(sql);
    TEXT_AUTO(back);
    ROWS_AUTO(rows);
    if (!conn_query(conn, "select pg_catalog.current_setting('lock_timeout')", 0, NULL, &rows, err) ||
        !conn_format(conn, &back, err, "set local lock_timeout = %L", rows_get(rows, 0, 0)))
        return false;
    text_appendf(&sql, "set local lock_timeout = '3s'; %s; %s", statement, text_str(&back));
    return conn_exec(conn, text_str(&sql), err);
}

/* 2BP01: a column that something depends on has to go; 0A000: it has to change. The server names what depends. */
static bool refuse_alter(const Difference *d, Error *err)
{
    const char *state = err->sqlstate;
    if (str_eq(state, "2BP01") || str_eq(state, "0A000"))
        return error_hint(err, "drop what depends on the column first, and make it again after the run");
    if (d->changed.len && (str_starts(state, "22") || str_eq(state, "42846")))
        return error_hint(err,
                          "the values there cannot be cast (%s): sluice drop, and the next run makes the table anew",
                          text_str(&d->changed));
    return false;
}

static bool alter(Conn *conn, const Difference *d, const Text *actions, Arena *arena, Table *target, Error *err)
{
    TEXT_AUTO(sql);
    text_appendf(&sql, "alter table %s %s", target->quoted, text_str(actions));
    return (table_exec_short(conn, text_str(&sql), err) || refuse_alter(d, err)) &&
           table_find(conn, target->schema, target->name, arena, target, err);
}

static void keep_shared(Arena *arena, Table *stage, const Table *target)
{
    TableColumn *shared = arena_array(arena, stage->column_count, sizeof *shared);
    size_t count = 0;
    for (size_t i = 0; i < stage->column_count; i++) {
        const TableColumn *old = table_column(target, stage->columns[i].name);
        if (old && !old->generated)
            shared[count++] = stage->columns[i];
    }
    stage->columns = shared;
    stage->column_count = count;
}

bool table_alter_columns(Conn *conn, SchemaChange how, const char *ignored, Arena *arena, Table *stage, Table *target,
                         bool *ret_altered, Text *statements, Error *err)
{
    Difference d __attribute__((cleanup(difference_clear))) = {.with_cast = how == SCHEMA_SYNC_ALL};
    *ret_altered = false;
    if (!compare_columns(conn, stage, target, ignored, &d, err))
        return false;
    if (!d.actions.len)
        return true;
    if (how == SCHEMA_FAIL || (how != SCHEMA_SYNC_ALL && d.changed.len))
        return refuse_difference(target, &d, statements, err);
    const Text *actions = how == SCHEMA_SYNC_ALL ? &d.actions : &d.adding;
    *ret_altered = how != SCHEMA_IGNORE && actions->len > 0;
    if (*ret_altered && !alter(conn, &d, actions, arena, target, err))
        return false;
    if (*ret_altered)
        text_appendf(statements, "alter table %s %s", target->quoted, text_str(actions));
    keep_shared(arena, stage, target);
    return true;
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
