#include "publish/diff_where.h"

#include "pg/rows.h"

void diff_append_filter(const Diff *diff, Text *out)
{
    if (diff->scope.filter)
        text_appendf(out, " where (%s)", diff->scope.filter);
    if (diff->times)
        text_appendf(out, "%s%s", diff->scope.filter ? " and " : " where ", diff->times);
}

static bool names_column(const Strings *names, const char *name)
{
    for (size_t i = 0; name && i < names->count; i++)
        if (str_eq(names->items[i], name))
            return true;
    return false;
}

bool diff_where_times(Conn *conn, Diff *diff, Arena *arena, Error *err)
{
    enum { STAGED = 1000000, TIMES = 100 };
    const char *time = diff->scope.time_column;
    if (!diff->key || !names_column(diff->key, time) || diff->scope.delete_missing || diff->scope.stage_rows > STAGED)
        return true;
    TEXT_AUTO(sql);
    ROWS_AUTO(rows);
    text_appendf(&sql, "select count(*), case when count(*) <= %d then array_agg(t) end, min(t), max(t) from ", TIMES);
    if (!conn_format(conn, &sql, err, "(select distinct x.%I as t from %s x) times", time, diff->stage->quoted) ||
        !conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    if (rows_int(rows, 0, 0) == 0)
        return true;
    const char *type = table_column(diff->stage, time)->type;
    text_reset(&sql);
    bool few = rows_get(rows, 0, 1) != NULL;
    if (!(few ? conn_format(conn, &sql, err, "x.%I = any (%L::%s[])", time, rows_get(rows, 0, 1), type)
              : conn_format(conn, &sql, err, "x.%I between %L::%s and %L::%s", time, rows_get(rows, 0, 2), type,
                            rows_get(rows, 0, 3), type)))
        return false;
    diff->times = arena_strdup(arena, text_str(&sql));
    return true;
}

bool diff_where_nothing(Conn *conn, const Diff *diff, bool *ret_nothing, Error *err)
{
    *ret_nothing = false;
    if (!diff->scope.filter && !diff->times)
        return true;
    TEXT_AUTO(sql);
    text_appendf(&sql, "select not exists (select from %s x", diff->target->quoted);
    diff_append_filter(diff, &sql);
    text_append(&sql, ")");
    ROWS_AUTO(rows);
    if (!conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    *ret_nothing = rows_bool(rows, 0, 0);
    return true;
}
