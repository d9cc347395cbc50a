#include "publish/diff.h"

#include <inttypes.h>

#include "base/json.h"
#include "pg/rows.h"
#include "publish/diff_row.h"
#include "publish/diff_where.h"
#include "record/change.h"
#include "record/statements.h"

bool diff_is_empty(const Diff *diff)
{
    return diff->counts.inserted == 0 && diff->counts.updated == 0 && diff->counts.deleted == 0;
}

static bool is_covered(const Table *stage, const Table *target)
{
    for (size_t i = 0; i < target->column_count; i++)
        if (!target->columns[i].generated && !table_column(stage, target->columns[i].name))
            return false;
    return true;
}

static bool find_facts(Conn *conn, Diff *diff, Arena *arena, Error *err)
{
    TEXT_AUTO(names);
    Json json = {.out = &names};
    json_array(&json);
    for (size_t i = 0; diff->key && i < diff->key->count; i++)
        json_string(&json, diff->key->items[i]);
    json_end(&json);
    ROWS_AUTO(rows);
    if (!conn_query_often(conn, sql_diff_facts, 2, (const char *const[]){diff->target->quoted, text_str(&names)}, &rows,
                          err))
        return false;
    diff->facts = (DiffFacts){
        .key_unique = rows_bool(rows, 0, 0),
        .other_unique = rows_bool(rows, 0, 1),
        .refers_to_itself = rows_bool(rows, 0, 2),
        .deletes_act = rows_bool(rows, 0, 3),
        .watched = rows_bool(rows, 0, 5),
        .covered = !rows_bool(rows, 0, 4) && is_covered(diff->stage, diff->target),
        .triggers = arena_strdup(arena, rows_get(rows, 0, 6)),
    };
    return true;
}

/* --- by key ---------------------------------------------------------------------------------------------------- */

/* t."a" = s."a" and t."b" = s."b" */
static bool append_match(Conn *conn, const Strings *key, Text *out, Error *err)
{
    for (size_t i = 0; i < key->count; i++)
        if (!conn_format(conn, out, err, "%st.%I = s.%I", i ? " and " : "", key->items[i], key->items[i]))
            return false;
    return true;
}

/* Whole rows by `*<>`, which compares images: 1.0 and 1.00 are told apart, in keys too, and types without equality
 * compare. The cast keeps the parser from comparing the rows column by column. Nothing here keeps the server from using
 * an index on the key, where few rows are staged and none are to go, or on what the filter names. */
static bool append_by_key(Conn *conn, const Diff *diff, Text *out, Error *err)
{
    /* A table that was adopted, or made before its model had a key, may hold a key twice: its first row is paired. */
    bool twins = !diff->facts.key_unique;
    TEXT_AUTO(old);
    TEXT_AUTO(new);
    text_append(out, "from (select x.*, x.tableoid as sluice_part, x.ctid as sluice_place");
    if (twins) {
        text_append(out, ", row_number() over (partition by ");
        if (!table_names(conn, diff->key, "x.", "", ", ", out, err))
            return false;
        text_append(out, " order by x.tableoid, x.ctid) as sluice_nth");
    }
    text_appendf(out, " from %s x", diff->target->quoted);
    diff_append_filter(diff, out);
    text_appendf(out, ") t %s join (select x.*, x.ctid as sluice_place%s from %s x) s on ",
                 diff->scope.delete_missing ? "full" : "right", twins ? ", 1::bigint as sluice_nth" : "",
                 diff->stage->quoted);
    if (!append_match(conn, diff->key, out, err) || !table_column_list(conn, diff->stage, "t.", &old, err) ||
        !table_column_list(conn, diff->stage, "s.", &new, err))
        return false;
    text_appendf(out,
                 "%s where t.sluice_place is null or s.sluice_place is null or row(%s)::record *<> row(%s)::record",
                 twins ? " and t.sluice_nth = s.sluice_nth" : "", text_str(&old), text_str(&new));
    return true;
}

/* Where no row is to go, rows that hold one key cannot both be made equal to the staged one. */
static bool refuse_twins(Conn *conn, const Diff *diff, Error *err)
{
    TEXT_AUTO(columns);
    if (!table_names(conn, diff->key, "x.", "", ", ", &columns, err))
        return false;
    TEXT_AUTO(sql);
    text_appendf(&sql, "select row(%s)::text, count(*) from %s x group by %s having count(*) > 1 order by 1 limit 1",
                 text_str(&columns), diff->target->quoted, text_str(&columns));
    ROWS_AUTO(rows);
    if (!conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    error_set(err, ERROR_FAILED, "%s.%s holds the key %s in %s rows", diff->target->schema, diff->target->name,
              rows_get(rows, 0, 0), rows_get(rows, 0, 1));
    return error_hint(err, "its rows cannot be told apart by unique_key: make them unique first");
}

/* A new row whose key stands outside the filter: an index would refuse it, so does this where there is none. */
static bool refuse_outside(Conn *conn, const Diff *diff, Error *err)
{
    if (!diff->scope.filter || diff->facts.key_unique || diff->counts.inserted == 0)
        return true;
    TEXT_AUTO(columns);
    if (!table_names(conn, diff->key, "s.", "", ", ", &columns, err))
        return false;
    TEXT_AUTO(sql);
    text_appendf(&sql, "select row(%s)::text from (select x.* from %s x where (%s) is not true) t join %s s on ",
                 text_str(&columns), diff->target->quoted, diff->scope.filter, diff->stage->quoted);
    if (!append_match(conn, diff->key, &sql, err))
        return false;
    text_appendf(&sql, " where s.ctid in (select d.new_place from %s d where d.old_place is null) limit 1", diff->rows);
    ROWS_AUTO(rows);
    if (!conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    error_set(err, ERROR_FAILED, "%s.%s holds the key %s already, outside what was recomputed", diff->target->schema,
              diff->target->name, rows_get(rows, 0, 0));
    return error_hint(err, "a run with --full-refresh compares all of the table");
}

/* --- what was found -------------------------------------------------------------------------------------------- */

bool diff_append_differing(Conn *conn, const Diff *diff, Text *out, Error *err)
{
    return diff->key ? append_by_key(conn, diff, out, err) : diff_row_append(conn, diff, out, err);
}

static bool append_find(Conn *conn, const Diff *diff, Text *out, Error *err)
{
    const char *time = diff->scope.time_column;
    text_append(out, "select t.sluice_part as old_part, t.sluice_place as old_place, s.sluice_place as new_place");
    if (time && !conn_format(conn, out, err, ", t.%I as old_time, s.%I as new_time", time, time))
        return false;
    text_append(out, " ");
    return diff_append_differing(conn, diff, out, err);
}

/* `select counts, nulls, ranges` of a FROM item with columns as diff->rows has them, and old_time and new_time. */
static void append_summary(const Diff *diff, const char *from, bool held, Text *out)
{
    text_append(out, "select count(*) filter (where d.old_place is null), "
                     "count(*) filter (where d.old_place is not null and d.new_place is not null), "
                     "count(*) filter (where d.new_place is null), ");
    if (diff->scope.time_column) {
        TEXT_AUTO(times);
        text_appendf(&times,
                     "(select old_time as t from %s o union all select new_time from %s n "
                     "where n.new_time is distinct from n.old_time) c",
                     from, from);
        text_append(out, "bool_or((d.old_place is not null and d.old_time is null) or "
                         "(d.new_place is not null and d.new_time is null)), ");
        change_ranges_sql(diff->scope.time_type, text_str(&times), out);
    } else {
        text_append(out, "false, null");
    }
    if (held)
        text_appendf(out,
                     ", pg_catalog.array_agg(d.old_part) filter (where d.nth <= %d), "
                     "pg_catalog.array_agg(d.old_place) filter (where d.nth <= %d), "
                     "pg_catalog.array_agg(d.new_place) filter (where d.nth <= %d)",
                     DIFF_HELD, DIFF_HELD, DIFF_HELD);
    text_appendf(out, " from %s d", from);
}

static void take_summary(Diff *diff, const Rows *rows, Arena *arena)
{
    diff->counts = (DiffCounts){rows_int(rows, 0, 0), rows_int(rows, 0, 1), rows_int(rows, 0, 2)};
    diff->nulls = rows_bool(rows, 0, 3);
    diff->ranges = arena_strdup(arena, rows_get(rows, 0, 4));
    diff->everything = !diff->scope.time_column && !diff_is_empty(diff);
}

/* Of diff->rows. */
static bool sum_up(Conn *conn, Diff *diff, Arena *arena, Error *err)
{
    TEXT_AUTO(sql);
    append_summary(diff, diff->rows, false, &sql);
    ROWS_AUTO(summary);
    if (!conn_query(conn, text_str(&sql), 0, NULL, &summary, err))
        return false;
    take_summary(diff, summary, arena);
    return true;
}

static bool hold_rows(Conn *conn, Diff *diff, const Rows *rows, Arena *arena, Error *err)
{
    TEXT_AUTO(out);
    if (!conn_format(
            conn, &out, err,
            "(select u.old_part, u.old_place, u.new_place from rows from (pg_catalog.unnest(%L::pg_catalog.oid[]), "
            "pg_catalog.unnest(%L::pg_catalog.tid[]), pg_catalog.unnest(%L::pg_catalog.tid[])) "
            "u (old_part, old_place, new_place))",
            rows_get(rows, 0, 5), rows_get(rows, 0, 6), rows_get(rows, 0, 7)))
        return false;
    diff->rows = arena_strdup(arena, text_str(&out));
    return true;
}

/* Few rows: held in the statements to come. *ret_held false: there are too many. */
static bool find_held(Conn *conn, Diff *diff, Arena *arena, bool *ret_held, Error *err)
{
    TEXT_AUTO(sql);
    text_append(&sql, "with sluice_found as materialized (select row_number() over () as nth, f.* from (");
    if (!append_find(conn, diff, &sql, err))
        return false;
    text_append(&sql, ") f) ");
    append_summary(diff, "sluice_found", true, &sql);
    ROWS_AUTO(rows);
    if (!conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    take_summary(diff, rows, arena);
    *ret_held = diff->counts.inserted + diff->counts.updated + diff->counts.deleted <= DIFF_HELD;
    return !*ret_held || hold_rows(conn, diff, rows, arena, err);
}

/* Of many rows the server is to know how many are new; else it takes nearly all for new, or for none. And that to fetch
 * rows by their places, in order, is no reading at random: it would rather read all of a table a hundred times as
 * large. */
static bool is_known(Conn *conn, const Diff *diff, Error *err)
{
    const DiffCounts *counts = &diff->counts;
    const Table found = {.quoted = diff->work_table};
    int64_t rows = counts->inserted + counts->updated + counts->deleted;
    return rows <= TABLE_SMALL ||
           (table_stage_analyze(conn, &found, rows, err) &&
            conn_exec(conn,
                      "select pg_catalog.set_config('random_page_cost', least(1.1, "
                      "pg_catalog.current_setting('random_page_cost')::pg_catalog.float8)::pg_catalog.text, true)",
                      err));
}

static bool find_into_table(Conn *conn, Diff *diff, const char *select, Arena *arena, Error *err)
{
    TEXT_AUTO(name);
    TEXT_AUTO(quoted);
    text_appendf(&name, "sluice_diff_%" PRId64, diff->scope.number);
    if (!conn_format(conn, &quoted, err, "%I.%I", diff->stage->schema, text_str(&name)))
        return false;
    diff->rows = diff->work_table = arena_strdup(arena, text_str(&quoted));
    TEXT_AUTO(sql);
    /* Written in the order of the table, new rows in that in which they were staged: what lies together, in the table
     * or in an index, is met together. */
    text_appendf(&sql, "create table %s as select * from (%s) f order by old_part, old_place, new_place",
                 diff->work_table, select);
    return conn_exec(conn, text_str(&sql), err) && sum_up(conn, diff, arena, err) && is_known(conn, diff, err);
}

static bool find_appended(Conn *conn, Diff *diff, Arena *arena, Error *err)
{
    const char *time = diff->scope.time_column;
    TEXT_AUTO(rows);
    text_append(&rows, "(select null::oid as old_part, null::tid as old_place, x.ctid as new_place");
    if (time &&
        !conn_format(conn, &rows, err, ", case when false then x.%I end as old_time, x.%I as new_time", time, time))
        return false;
    text_appendf(&rows, " from %s x)", diff->stage->quoted);
    diff->appends = true;
    diff->rows = arena_strdup(arena, text_str(&rows));
    return sum_up(conn, diff, arena, err);
}

/* All rows go and all come; what that touches is every time, old and new. */
static bool find_anew(Conn *conn, Diff *diff, Arena *arena, Error *err)
{
    const char *time = diff->scope.time_column;
    TEXT_AUTO(rows);
    text_append(&rows, "(select x.tableoid as old_part, x.ctid as old_place, null::tid as new_place");
    if (time && !conn_format(conn, &rows, err, ", x.%I as old_time, null as new_time", time))
        return false;
    text_appendf(&rows, " from %s x", diff->target->quoted);
    diff_append_filter(diff, &rows);
    text_append(&rows, " union all select null, null, x.ctid");
    if (time && !conn_format(conn, &rows, err, ", case when false then x.%I end, x.%I", time, time))
        return false;
    text_appendf(&rows, " from %s x)", diff->stage->quoted);
    diff->anew = true;
    diff->rows = arena_strdup(arena, text_str(&rows));
    return sum_up(conn, diff, arena, err);
}

static bool find_places(Conn *conn, Diff *diff, Arena *arena, Error *err)
{
    /* To look for few where there are many is to look twice. */
    bool held = false;
    TEXT_AUTO(select);
    if ((diff->scope.stage_rows <= DIFF_HELD && !find_held(conn, diff, arena, &held, err)) ||
        !append_find(conn, diff, &select, err))
        return false;
    return held || find_into_table(conn, diff, text_str(&select), arena, err);
}

static bool may_write_anew(const Diff *diff)
{
    return diff->scope.stage_rows > TABLE_SMALL && diff->facts.covered && !diff->facts.watched;
}

/* Of many rows, beyond all that stand: these are not compared. Triggers may keep rows back, which only that would tell.
 */
static bool find_if_new(Conn *conn, Diff *diff, Arena *arena, bool *ret_found, Error *err)
{
    *ret_found = false;
    if ((diff->scope.stage_rows > 0 && diff->scope.stage_rows <= DIFF_HELD) || diff->facts.triggers)
        return true;
    return diff_where_nothing(conn, diff, ret_found, err) && (!*ret_found || find_appended(conn, diff, arena, err));
}

static bool find_by_row(Conn *conn, Diff *diff, Arena *arena, Error *err)
{
    DiffRowSums sums;
    bool found;
    const int64_t staged = diff->scope.stage_rows;
    if (staged > 0 && staged <= DIFF_HELD) /* to ask twice costs more */
        return find_places(conn, diff, arena, err);
    if (!find_if_new(conn, diff, arena, &found, err) || found)
        return err->code == ERROR_NONE;
    if (!diff_row_compare(conn, diff, may_write_anew(diff), &sums, err))
        return false;
    if (!sums.differ)
        return true;
    bool most_are_new = sums.sampled >= DIFF_ROW_SAMPLE / 2 && sums.found * 10 < sums.sampled;
    return (most_are_new ? find_anew : find_places)(conn, diff, arena, err);
}

static bool find_by_key(Conn *conn, Diff *diff, Arena *arena, Error *err)
{
    if (!diff->facts.key_unique && !diff->scope.delete_missing && !refuse_twins(conn, diff, err))
        return false;
    bool found;
    return diff_where_times(conn, diff, arena, err) && find_if_new(conn, diff, arena, &found, err) &&
           (found || find_places(conn, diff, arena, err)) && refuse_outside(conn, diff, err);
}

bool diff_dated(const Table *stage, const Table *target, const DiffScope *scope)
{
    const TableColumn *column = scope->time_column ? table_column(stage, scope->time_column) : NULL;
    return column && !column->generated && scope->time_type != SQL_TIME_NONE &&
           table_column(target, scope->time_column);
}

static DiffScope dated_scope(const DiffScope *scope, const Table *stage, const Table *target)
{
    DiffScope dated = *scope;
    if (!diff_dated(stage, target, scope))
        dated.time_column = NULL;
    return dated;
}

/* --- the key that others refer to ------------------------------------------------------------------------------ */

/* Of several the primary key, else the oldest; *ret_by names one of the tables that refer to it. NULL: none. */
static bool find_referred_key(Conn *conn, const Table *target, Arena *arena, const Strings **ret_key,
                              const char **ret_by, Error *err)
{
    *ret_key = NULL;
    ROWS_AUTO(rows);
    if (!conn_query_often(conn, sql_referred_key, 1, (const char *const[]){target->quoted}, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    Strings *key = arena_alloc(arena, sizeof *key);
    key->items = arena_array(arena, (size_t)rows_count(rows), sizeof *key->items);
    for (int i = 0; i < rows_count(rows); i++)
        key->items[key->count++] = arena_strdup(arena, rows_get(rows, i, 0));
    *ret_by = arena_strdup(arena, rows_get(rows, 0, 1));
    *ret_key = key;
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

static bool find(Conn *conn, const Strings *key, Arena *arena, Diff *diff, Error *err)
{
    const char *by = NULL;
    if (key->count) {
        diff->key = key;
    } else if (!find_referred_key(conn, diff->target, arena, &diff->key, &by, err)) {
        return false;
    } else if (diff->key) {
        diff->scope.delete_missing = true;
        if (!can_pair(conn, diff->stage, diff->target, diff->key, by, err))
            return false;
    }
    return find_facts(conn, diff, arena, err) && (diff->key ? find_by_key : find_by_row)(conn, diff, arena, err);
}

bool diff_find(Conn *conn, const Table *stage, const Table *target, const Strings *key, const DiffScope *scope,
               Arena *arena, Diff *ret, Error *err)
{
    *ret = (Diff){.stage = stage, .target = target, .scope = dated_scope(scope, stage, target)};
    return find(conn, key, arena, ret, err) || diff_explain(ret, err);
}

bool diff_find_append(Conn *conn, const Table *stage, const Table *target, const char *extra_column,
                      const char *extra_value, const DiffScope *scope, Arena *arena, Diff *ret, Error *err)
{
    *ret = (Diff){
        .stage = stage,
        .target = target,
        .scope = dated_scope(scope, stage, target),
        .extra_column = extra_column,
        .extra_value = extra_value,
    };
    return (find_facts(conn, ret, arena, err) && find_appended(conn, ret, arena, err)) || diff_explain(ret, err);
}

bool diff_told(Conn *conn, const Table *stage, const Table *target, const char *select, const DiffScope *scope,
               Arena *arena, Diff *ret, Error *err)
{
    *ret = (Diff){.stage = stage, .target = target, .scope = dated_scope(scope, stage, target), .told = true};
    return (find_facts(conn, ret, arena, err) && find_into_table(conn, ret, select, arena, err)) ||
           diff_explain(ret, err);
}
