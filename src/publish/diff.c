#include "publish/diff.h"

#include "base/json.h"
#include "pg/rows.h"
#include "record/statements.h"

static bool run(Conn *conn, const Text *sql, int64_t *ret_count, Error *err)
{
    return conn_exec_counted(conn, text_str(sql), ret_count, err);
}

/* Room for the hash tables of the comparison, where the server grants less by default. */
static bool raise_work_mem(Conn *conn, Error *err)
{
    return conn_exec(conn,
                     "select pg_catalog.set_config('work_mem', greatest(65536, setting::int)::text || 'kB', true) "
                     "from pg_catalog.pg_settings where name = 'work_mem'",
                     err);
}

/* t."a" = s."a" and t."b" = s."b" */
static bool append_match(Conn *conn, const Strings *key, Text *out, Error *err)
{
    for (size_t i = 0; i < key->count; i++)
        if (!conn_format(conn, out, err, "%st.%I = s.%I", i ? " and " : "", key->items[i], key->items[i]))
            return false;
    return true;
}

static bool delete_missing_rows(Conn *conn, const Table *stage, const Table *target, const Strings *key,
                                DiffCounts *ret, Error *err)
{
    TEXT_AUTO(sql);
    text_appendf(&sql, "delete from %s t where not exists (select from %s s where ", target->quoted, stage->quoted);
    if (!append_match(conn, key, &sql, err))
        return false;
    text_append(&sql, ")");
    return run(conn, &sql, &ret->deleted, err);
}

/* Whole rows by `*<>`, which compares images: 1.0 and 1.00 are told apart, in keys too, and types without equality
 * compare. The cast keeps the parser from comparing the rows column by column. */
static bool update_changed_rows(Conn *conn, const Table *stage, const Table *target, const Strings *key,
                                DiffCounts *ret, Error *err)
{
    TEXT_AUTO(set);
    TEXT_AUTO(old);
    TEXT_AUTO(new);
    for (size_t i = 0; i < stage->column_count; i++) {
        const char *name = stage->columns[i].name, *comma = set.len ? ", " : "";
        if (!conn_format(conn, &set, err, "%s%I = s.%I", comma, name, name) ||
            !conn_format(conn, &old, err, "%st.%I", comma, name) ||
            !conn_format(conn, &new, err, "%ss.%I", comma, name))
            return false;
    }
    TEXT_AUTO(sql);
    text_appendf(&sql, "update %s t set %s from %s s where ", target->quoted, text_str(&set), stage->quoted);
    if (!append_match(conn, key, &sql, err))
        return false;
    text_appendf(&sql, " and row(%s)::record *<> row(%s)::record", text_str(&old), text_str(&new));
    return run(conn, &sql, &ret->updated, err);
}

static bool insert_new_rows(Conn *conn, const Table *stage, const Table *target, const Strings *key, DiffCounts *ret,
                            Error *err)
{
    TEXT_AUTO(sql);
    TEXT_AUTO(columns);
    if (!table_column_list(conn, stage, "", &columns, err))
        return false;
    text_appendf(&sql, "insert into %s (%s) select %s from %s s where not exists (select from %s t where ",
                 target->quoted, text_str(&columns), text_str(&columns), stage->quoted, target->quoted);
    if (!append_match(conn, key, &sql, err))
        return false;
    text_append(&sql, ")");
    return run(conn, &sql, &ret->inserted, err);
}

static bool is_unique(Conn *conn, const Table *target, const Strings *key, bool *ret_unique, Error *err)
{
    TEXT_AUTO(names);
    Json json = {.out = &names};
    json_array(&json);
    for (size_t i = 0; i < key->count; i++)
        json_string(&json, key->items[i]);
    json_end(&json);
    ROWS_AUTO(rows);
    if (!conn_query(conn, sql_has_unique_index, 2, (const char *const[]){target->quoted, text_str(&names)}, &rows, err))
        return false;
    *ret_unique = rows_bool(rows, 0, 0);
    return true;
}

/* A table that was adopted, or made before its model had a key, may hold a key twice. Made equal to the stage, one row
 * of each key stays, to be compared with the new one. */
static bool delete_twins(Conn *conn, const Table *target, const Strings *key, DiffCounts *ret, Error *err)
{
    TEXT_AUTO(columns);
    if (!table_names(conn, key, "x.", "", ", ", &columns, err))
        return false;
    TEXT_AUTO(sql);
    text_appendf(&sql,
                 "delete from %s t using (select x.ctid as sluice_place, x.tableoid as sluice_part, "
                 "row_number() over (partition by %s order by x.tableoid, x.ctid) as sluice_nth from %s x) d "
                 "where t.ctid = d.sluice_place and t.tableoid = d.sluice_part and d.sluice_nth > 1",
                 target->quoted, text_str(&columns), target->quoted);
    return run(conn, &sql, &ret->deleted, err);
}

static bool refuse_twins(Conn *conn, const Table *target, const Strings *key, Error *err)
{
    TEXT_AUTO(columns);
    if (!table_names(conn, key, "x.", "", ", ", &columns, err))
        return false;
    TEXT_AUTO(sql);
    text_appendf(&sql, "select row(%s)::text, count(*) from %s x group by %s having count(*) > 1 order by 1 limit 1",
                 text_str(&columns), target->quoted, text_str(&columns));
    ROWS_AUTO(rows);
    if (!conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    error_set(err, ERROR_FAILED, "%s.%s holds the key %s in %s rows", target->schema, target->name,
              rows_get(rows, 0, 0), rows_get(rows, 0, 1));
    return error_hint(err, "its rows cannot be told apart by unique_key: make them unique first");
}

bool diff_by_key(Conn *conn, const Table *stage, const Table *target, const Strings *key, bool delete_missing,
                 DiffCounts *ret, Error *err)
{
    int64_t twins;
    bool unique;
    *ret = (DiffCounts){0};
    if (!raise_work_mem(conn, err) || !is_unique(conn, target, key, &unique, err))
        return false;
    if (!unique && !(delete_missing ? delete_twins(conn, target, key, ret, err) : refuse_twins(conn, target, key, err)))
        return false;
    twins = ret->deleted;
    if (delete_missing && !delete_missing_rows(conn, stage, target, key, ret, err))
        return false;
    ret->deleted = delete_missing ? ret->deleted + twins : 0;
    return update_changed_rows(conn, stage, target, key, ret, err) &&
           insert_new_rows(conn, stage, target, key, ret, err);
}

/* --- by whole rows --------------------------------------------------------------------------------------------- */

/* A whole row is known by 128 bits of its text, from two seeds of the server's hash: every type has a text, json and
 * xml too, and two numbers group and join many times faster than long texts. By chance two different rows of a table of
 * a billion would be taken for one once in 10^20 tables. The names are such as no column will have. */
static void append_hashed(Text *out, const Table *table, const Text *columns, const char *more)
{
    text_appendf(out,
                 "(select pg_catalog.hashtextextended(i.sluice_image, 1) as sluice_a, "
                 "pg_catalog.hashtextextended(i.sluice_image, 2) as sluice_b%s "
                 "from (select x.*%s, row(%s)::text as sluice_image from %s x offset 0) i)",
                 more, *more ? ", x.ctid as sluice_place, x.tableoid as sluice_part" : "", text_str(columns),
                 table->quoted);
}

/* How often each row of a table occurs: sluice_a, sluice_b, sluice_n. */
static void append_counts(Text *out, const Table *table, const Text *columns)
{
    text_append(out, "(select sluice_a, sluice_b, count(*) as sluice_n from ");
    append_hashed(out, table, columns, "");
    text_append(out, " h group by 1, 2)");
}

/* `with sluice_more as (...)`: the rows that occur more often in one table than in the other, and how often there. */
static void append_more(Text *out, const Table *one, const Table *other, const Text *columns)
{
    text_append(out, "with sluice_more as (select o.sluice_a, o.sluice_b, coalesce(r.sluice_n, 0) as sluice_n from ");
    append_counts(out, one, columns);
    text_append(out, " o left join ");
    append_counts(out, other, columns);
    text_append(out, " r using (sluice_a, sluice_b) where o.sluice_n > coalesce(r.sluice_n, 0))");
}

static bool delete_surplus(Conn *conn, const Table *stage, const Table *target, const Text *columns, DiffCounts *ret,
                           Error *err)
{
    TEXT_AUTO(sql);
    append_more(&sql, target, stage, columns);
    text_appendf(&sql,
                 " delete from %s t using (select h.sluice_place, h.sluice_part, m.sluice_n, "
                 "row_number() over (partition by h.sluice_a, h.sluice_b) as sluice_nth from ",
                 target->quoted);
    append_hashed(&sql, target, columns, ", sluice_place, sluice_part");
    text_append(&sql, " h join sluice_more m using (sluice_a, sluice_b)) d where t.ctid = d.sluice_place and "
                      "t.tableoid = d.sluice_part and d.sluice_nth > d.sluice_n");
    return run(conn, &sql, &ret->deleted, err);
}

static bool insert_missing(Conn *conn, const Table *stage, const Table *target, const Text *columns, DiffCounts *ret,
                           Error *err)
{
    TEXT_AUTO(sql);
    TEXT_AUTO(plain);
    if (!table_column_list(conn, stage, "", &plain, err))
        return false;
    append_more(&sql, stage, target, columns);
    text_appendf(&sql,
                 " insert into %s (%s) select %s from (select h.*, m.sluice_n, "
                 "row_number() over (partition by h.sluice_a, h.sluice_b) as sluice_nth from ",
                 target->quoted, text_str(&plain), text_str(&plain));
    append_hashed(&sql, stage, columns, ", i.*");
    text_append(&sql, " h join sluice_more m using (sluice_a, sluice_b)) d where d.sluice_nth > d.sluice_n");
    return run(conn, &sql, &ret->inserted, err);
}

static void append_sums(Text *out, const Table *table, const Text *columns)
{
    text_append(out, "(select count(*), sum(sluice_a), sum(sluice_b) from ");
    append_hashed(out, table, columns, "");
    text_append(out, " h)");
}

/* Most often nothing differs, and that is found out by one scan of each: sums do not depend on order. */
static bool rows_differ(Conn *conn, const Table *stage, const Table *target, const Text *columns, bool *ret_differ,
                        Error *err)
{
    TEXT_AUTO(sql);
    text_append(&sql, "select s is distinct from t from ");
    append_sums(&sql, stage, columns);
    text_append(&sql, " s, ");
    append_sums(&sql, target, columns);
    text_append(&sql, " t");
    ROWS_AUTO(rows);
    if (!conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    *ret_differ = rows_bool(rows, 0, 0);
    return true;
}

bool diff_by_row(Conn *conn, const Table *stage, const Table *target, DiffCounts *ret, Error *err)
{
    *ret = (DiffCounts){0};
    TEXT_AUTO(columns);
    bool differ;
    if (!table_column_list(conn, stage, "x.", &columns, err) ||
        !rows_differ(conn, stage, target, &columns, &differ, err))
        return false;
    return !differ || (raise_work_mem(conn, err) && delete_surplus(conn, stage, target, &columns, ret, err) &&
                       insert_missing(conn, stage, target, &columns, ret, err));
}

/* --- the key that others refer to ------------------------------------------------------------------------------ */

/* Of several the primary key, else the oldest; *ret_by names one of the tables that refer to it. */
static bool find_referred_key(Conn *conn, const Table *target, Arena *arena, Strings *ret_key, const char **ret_by,
                              Error *err)
{
    *ret_key = (Strings){0};
    ROWS_AUTO(rows);
    if (!conn_query(conn, sql_referred_key, 1, (const char *const[]){target->quoted}, &rows, err))
        return false;
    ret_key->items = arena_array(arena, (size_t)rows_count(rows), sizeof *ret_key->items);
    for (int i = 0; i < rows_count(rows); i++)
        ret_key->items[ret_key->count++] = arena_strdup(arena, rows_get(rows, i, 0));
    *ret_by = arena_strdup(arena, rows_count(rows) ? rows_get(rows, 0, 1) : NULL);
    return true;
}

static bool refuse_key(const Table *target, const Strings *key, const char *by, const char *why, Error *err)
{
    TEXT_AUTO(names);
    for (size_t i = 0; i < key->count; i++)
        text_appendf(&names, "%s%s", i ? ", " : "", key->items[i]);
    error_set(err, ERROR_FAILED, "%s refers to %s.%s by (%s), %s", by, target->schema, target->name, text_str(&names),
              why);
    return error_hint(err, "rows that others refer to are changed in place, which takes a key in the new rows");
}

/* The new rows have the key, whole, and each but once: else they could not be paired. */
static bool can_pair(Conn *conn, const Table *stage, const Table *target, const Strings *key, const char *by,
                     Error *err)
{
    TEXT_AUTO(columns);
    TEXT_AUTO(nulls);
    for (size_t i = 0; i < key->count; i++) {
        const TableColumn *column = table_column(stage, key->items[i]);
        if (!column || column->generated)
            return refuse_key(target, key, by, "which the new rows do not have", err);
        if (!conn_format(conn, &columns, err, "%s%I", i ? ", " : "", column->name) ||
            !conn_format(conn, &nulls, err, " or %I is null", column->name))
            return false;
    }
    TEXT_AUTO(sql);
    text_appendf(&sql, "select 1 from %s group by %s having count(*) > 1%s limit 1", stage->quoted, text_str(&columns),
                 text_str(&nulls));
    ROWS_AUTO(rows);
    if (!conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    return rows_count(rows) == 0 || refuse_key(target, key, by, "which is null or not unique in the new rows", err);
}

bool diff_apply(Conn *conn, const Table *stage, const Table *target, const Strings *key, bool delete_missing,
                Arena *arena, DiffCounts *ret, Error *err)
{
    *ret = (DiffCounts){0};
    if (key->count)
        return diff_by_key(conn, stage, target, key, delete_missing, ret, err);
    Strings referred;
    const char *by;
    if (!find_referred_key(conn, target, arena, &referred, &by, err))
        return false;
    if (referred.count == 0)
        return diff_by_row(conn, stage, target, ret, err);
    return can_pair(conn, stage, target, &referred, by, err) &&
           diff_by_key(conn, stage, target, &referred, true, ret, err);
}

bool diff_append(Conn *conn, const Table *stage, const Table *target, const char *extra_columns,
                 const char *extra_values, DiffCounts *ret, Error *err)
{
    *ret = (DiffCounts){0};
    TEXT_AUTO(columns);
    if (!table_column_list(conn, stage, "", &columns, err))
        return false;
    TEXT_AUTO(sql);
    text_appendf(&sql, "insert into %s (%s%s) select %s%s from %s", target->quoted, text_str(&columns), extra_columns,
                 text_str(&columns), extra_values, stage->quoted);
    return run(conn, &sql, &ret->inserted, err);
}
