#include "publish/check.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "pg/rows.h"
#include "publish/check_whole.h"
#include "publish/table.h"

/* What a row is called: nothing that a column will be called. */
#define ROW "sluice_row"

enum { SCAN_CHECKS = 100 }; /* checks answered by one scan */

static const char *check_kind_name(CheckKind kind)
{
    static const char *const names[] = {
        [CHECK_NOT_NULL] = "not_null",
        [CHECK_UNIQUE] = "unique",
        [CHECK_ACCEPTED_VALUES] = "accepted_values",
        [CHECK_RELATIONSHIPS] = "relationships",
        [CHECK_EXPRESSION] = "expression",
        [CHECK_ROW_COUNT] = "row_count",
        [CHECK_FRESHNESS] = "freshness",
        [CHECK_SQL] = "sql",
    };
    return names[kind];
}

/* --- SQL of a check -------------------------------------------------------------------------------------------- */

static bool append_accepted(Conn *conn, const Check *check, Text *out, Error *err)
{
    if (!conn_format(conn, out, err, ROW ".%I not in (", check->columns.items[0]))
        return false;
    for (size_t i = 0; i < check->values.count; i++)
        if (!conn_format(conn, out, err, "%s%L", i ? ", " : "", check->values.items[i]))
            return false;
    text_append(out, ")");
    return true;
}

/* A node's reference to itself is to its rows as they will stand, not as they stood. */
static bool append_self(Conn *conn, const CheckTarget *target, const Check *check, Text *out, Error *err)
{
    if (!target->beside) {
        text_append(out, target->quoted);
        return true;
    }
    return conn_format(conn, out, err, "(select x.%I from %s x union all select x.%I from %s x)", check->field,
                       target->quoted, check->field, target->beside);
}

/* The relation a relationship points at, quoted: a node's, or what the server takes the name for. */
static bool append_other(Conn *conn, const CheckTarget *target, const Check *check, Text *out, Error *err)
{
    if (check->to_node && check->to_node == target->node)
        return append_self(conn, target, check, out, err);
    if (check->to_node)
        return conn_format(conn, out, err, "%I.%I", check->to_node->schema, check->to_node->table);
    ROWS_AUTO(rows);
    if (!conn_query(conn, "select $1::pg_catalog.regclass::pg_catalog.text", 1, (const char *const[]){check->to}, &rows,
                    err))
        return false;
    text_append(out, rows_get(rows, 0, 0));
    return true;
}

static bool append_relationship(Conn *conn, const CheckTarget *target, const Check *check, Text *out, Error *err)
{
    const char *column = check->columns.items[0];
    TEXT_AUTO(other);
    return append_other(conn, target, check, &other, err) &&
           conn_format(conn, out, err, ROW ".%I is not null and not exists (select from %s o where o.%I = " ROW ".%I)",
                       column, text_str(&other), check->field, column);
}

/* The condition under which a row fails. */
static bool append_failing(Conn *conn, const CheckTarget *target, const Check *check, Text *out, Error *err)
{
    switch (check->kind) {
    case CHECK_NOT_NULL:
        return table_names(conn, &check->columns, ROW ".", " is null", " or ", out, err);
    case CHECK_ACCEPTED_VALUES:
        return append_accepted(conn, check, out, err);
    case CHECK_RELATIONSHIPS:
        return append_relationship(conn, target, check, out, err);
    case CHECK_EXPRESSION:
        text_appendf(out, "(%s\n) is false", check->expression);
        return true;
    case CHECK_UNIQUE:
        text_append(out, ROW ".sluice_copies > 1");
        return true;
    case CHECK_ROW_COUNT:
    case CHECK_FRESHNESS:
    case CHECK_SQL:
        break;
    }
    text_append(out, "false");
    return true;
}

/* The rows to judge, with sluice_record where that is known and sluice_copies for unique. */
static bool append_from(Conn *conn, const CheckTarget *target, const Check *check, Text *out, Error *err)
{
    const char *filter = target->filter ? target->filter : "true";
    if (check->kind != CHECK_UNIQUE && !target->fresh_load) {
        text_appendf(out, "(select * from %s " ROW " where %s) " ROW, target->quoted, filter);
        return true;
    }
    text_append(out, "(select " ROW ".*");
    if (target->fresh_load)
        text_append(out, ", row_number() over (order by " ROW ".ctid) as sluice_record");
    if (check->kind == CHECK_UNIQUE) {
        text_append(out, ", case when ");
        if (!table_names(conn, &check->columns, ROW ".", " is not null", " and ", out, err))
            return false;
        text_append(out, " then count(*) over (partition by ");
        if (!table_names(conn, &check->columns, ROW ".", "", ", ", out, err))
            return false;
        text_append(out, ") end as sluice_copies");
    }
    text_appendf(out, " from %s " ROW " where %s) " ROW, target->quoted, filter);
    return true;
}

/* Whether any row fails, the quick way: for unique by grouping. */
static bool append_count(Conn *conn, const CheckTarget *target, const Check *check, Text *out, Error *err)
{
    const char *filter = target->filter ? target->filter : "true";
    if (check->kind != CHECK_UNIQUE) {
        text_appendf(out, "select count(*) from %s " ROW " where (%s) and (", target->quoted, filter);
        if (!append_failing(conn, target, check, out, err))
            return false;
        text_append(out, ")");
        return true;
    }
    text_appendf(out, "select coalesce(sum(n), 0)::bigint from (select count(*) as n from %s " ROW " where (%s) and ",
                 target->quoted, filter);
    if (!table_names(conn, &check->columns, ROW ".", " is not null", " and ", out, err))
        return false;
    text_append(out, " group by ");
    if (!table_names(conn, &check->columns, ROW ".", "", ", ", out, err))
        return false;
    text_append(out, " having count(*) > 1) q");
    return true;
}

/* --- running --------------------------------------------------------------------------------------------------- */

static bool place_error(const Check *check, Error *err)
{
    if (err->code != ERROR_FAILED)
        return false;
    error_prefix(err, "the check %s cannot be run: ", check->name);
    if (err->file) /* of its query */
        return false;
    return error_place(err, check->place.file, check->place.line, check->place.column);
}

static bool query_count(Conn *conn, const Text *sql, int64_t *ret_count, Error *err)
{
    ROWS_AUTO(rows);
    if (!conn_query(conn, text_str(sql), 0, NULL, &rows, err))
        return false;
    *ret_count = rows_int(rows, 0, 0);
    return true;
}

static bool keep_rows(Conn *conn, const CheckTarget *target, const Check *check, Arena *arena, CheckResult *ret,
                      Error *err)
{
    TEXT_AUTO(sql);
    text_appendf(
        &sql,
        "select case when octet_length(j) > %d then jsonb_build_object('cut', left(j, %d))::text else j end, n "
        "from (select (to_jsonb(" ROW ") - 'sluice_record' - 'sluice_copies')::text as j, %s as n from ",
        CHECK_ROW_BYTES, CHECK_ROW_BYTES / 4, target->fresh_load ? ROW ".sluice_record" : "0");
    if (!append_from(conn, target, check, &sql, err))
        return false;
    text_append(&sql, " where ");
    if (!append_failing(conn, target, check, &sql, err))
        return false;
    if (target->fresh_load)
        text_append(&sql, " order by " ROW ".sluice_record");
    text_appendf(&sql, " limit %d) q", CHECK_ROWS_KEPT);
    ROWS_AUTO(rows);
    if (!conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    ret->row_count = (size_t)rows_count(rows);
    ret->rows = arena_array(arena, ret->row_count, sizeof(FailedRow));
    for (int i = 0; i < rows_count(rows); i++)
        ret->rows[i] = (FailedRow){.json = arena_strdup(arena, rows_get(rows, i, 0)), .record = rows_int(rows, i, 1)};
    return true;
}

static bool count_rows(Conn *conn, const CheckTarget *target, int64_t *ret_count, Error *err)
{
    TEXT_AUTO(sql);
    text_appendf(&sql, "select count(*) from %s " ROW " where %s", target->quoted,
                 target->filter ? target->filter : "true");
    return query_count(conn, &sql, ret_count, err);
}

static void judge_row_count(const Check *check, int64_t found, Arena *arena, CheckResult *ret)
{
    const char *rows = found == 1 ? "row" : "rows";
    ret->detail = arena_printf(arena, "%" PRId64 " %s", found, rows);
    if (found < check->min) {
        ret->failed_rows = check->min - found;
        ret->detail = arena_printf(arena, "%" PRId64 " %s, expected at least %" PRId64, found, rows, check->min);
    } else if (found > check->max) {
        ret->failed_rows = found - check->max;
        ret->detail = arena_printf(arena, "%" PRId64 " %s, expected at most %" PRId64, found, rows, check->max);
    }
}

/* found: rows that fail (row_count: rows there are), or -1 where that is still to be asked. */
static bool run_one(Conn *conn, const CheckTarget *target, const Check *check, int64_t found, Arena *arena,
                    CheckResult *ret, Error *err)
{
    *ret = (CheckResult){.check = check, .kind = check_kind_name(check->kind)};
    if (check->kind == CHECK_ROW_COUNT) {
        if (found < 0 && !count_rows(conn, target, &found, err))
            return false;
        judge_row_count(check, found, arena, ret);
        return true;
    }
    if (check->kind == CHECK_FRESHNESS)
        return check_fresh_run(conn, target, check, arena, ret, err);
    if (check->kind == CHECK_SQL)
        return check_query_run(conn, target, check, arena, ret, err);
    TEXT_AUTO(sql);
    if (found < 0 && (!append_count(conn, target, check, &sql, err) || !query_count(conn, &sql, &found, err)))
        return false;
    ret->failed_rows = found;
    return found == 0 || keep_rows(conn, target, check, arena, ret, err);
}

static bool holds_all(const Strings *all, const Strings *some)
{
    for (size_t i = 0; i < some->count; i++) {
        size_t j = 0;
        while (j < all->count && !str_eq(all->items[j], some->items[i]))
            j++;
        if (j == all->count)
            return false;
    }
    return true;
}

/* A primary key leaves nothing to look for. */
static bool is_proven(const CheckTarget *target, const Check *check)
{
    if (!target->key)
        return false;
    return (check->kind == CHECK_NOT_NULL && holds_all(target->key, &check->columns)) ||
           (check->kind == CHECK_UNIQUE && holds_all(&check->columns, target->key));
}

static bool is_row_wise(const Check *check)
{
    return check->kind == CHECK_NOT_NULL || check->kind == CHECK_ACCEPTED_VALUES || check->kind == CHECK_EXPRESSION ||
           check->kind == CHECK_ROW_COUNT;
}

static bool append_filtered_count(Conn *conn, const CheckTarget *target, const Check *check, Text *out, Error *err)
{
    if (check->kind == CHECK_ROW_COUNT) {
        text_append(out, "count(*)");
        return true;
    }
    text_append(out, "count(*) filter (where ");
    if (!append_failing(conn, target, check, out, err))
        return false;
    text_append(out, ")");
    return true;
}

/* Asks for all row-wise checks that are still open in one scan; ret_found[i] then is what check i found. Where the
 * server finds fault with the statement nothing is known: one by one, the checks tell which of them it is. */
static bool scan_together(Conn *conn, const CheckTarget *target, const Check *checks, size_t count, int64_t *ret_found,
                          Error *err)
{
    TEXT_AUTO(sql);
    size_t asked[SCAN_CHECKS], n = 0;
    text_append(&sql, "select ");
    for (size_t i = 0; i < count && n < SCAN_CHECKS; i++) {
        if (ret_found[i] >= 0 || !is_row_wise(&checks[i]))
            continue;
        text_append(&sql, n ? ", " : "");
        if (!append_filtered_count(conn, target, &checks[i], &sql, err))
            return place_error(&checks[i], err);
        asked[n++] = i;
    }
    if (n < 2)
        return true;
    text_appendf(&sql, " from %s " ROW " where %s", target->quoted, target->filter ? target->filter : "true");
    if (!conn_exec(conn, "savepoint sluice_checks", err))
        return false;
    ROWS_AUTO(rows);
    if (conn_query(conn, text_str(&sql), 0, NULL, &rows, err)) {
        for (size_t i = 0; i < n; i++)
            ret_found[asked[i]] = rows_int(rows, 0, (int)i);
        return conn_exec(conn, "release savepoint sluice_checks", err);
    }
    if (err->code != ERROR_FAILED)
        return false;
    error_clear(err);
    return conn_exec(conn, "rollback to savepoint sluice_checks; release savepoint sluice_checks", err);
}

bool checks_run(Conn *conn, const CheckTarget *target, const Check *checks, size_t count, Arena *arena,
                CheckResults *ret, Error *err)
{
    *ret = (CheckResults){.items = arena_array(arena, count, sizeof(CheckResult)), .count = count};
    int64_t *found = arena_array(arena, count, sizeof(int64_t));
    for (size_t i = 0; i < count; i++)
        found[i] = is_proven(target, &checks[i]) ? 0 : -1;
    if (!scan_together(conn, target, checks, count, found, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        CheckResult *result = &ret->items[i];
        if (!run_one(conn, target, &checks[i], found[i], arena, result, err))
            return place_error(&checks[i], err);
        if (result->failed_rows > 0)
            (*(result->check->warn ? &ret->warnings : &ret->failed))++;
    }
    return true;
}

/* --- recording ------------------------------------------------------------------------------------------------- */

static bool record_rows(Conn *conn, const CheckResult *result, const char *check_id, const char *run_id,
                        const char *schema, const char *table, Error *err)
{
    for (size_t i = 0; i < result->row_count; i++) {
        const FailedRow *row = &result->rows[i];
        char line[DECIMAL_TEXT];
        if (!conn_query(conn,
                        "insert into sluice.failed_rows values ($1::bigint, $2::bigint, $3, $4, $5, "
                        "nullif($6::bigint, 0), $7::jsonb)",
                        7,
                        (const char *const[]){check_id, run_id, schema, table, result->check->name,
                                              decimal_text(row->line, line), row->json},
                        NULL, err))
            return false;
    }
    return true;
}

bool checks_record(Conn *conn, const CheckResults *results, int64_t run_id, int64_t step_id, const char *schema,
                   const char *table, Error *err)
{
    char run[DECIMAL_TEXT], step[DECIMAL_TEXT], failed[DECIMAL_TEXT];
    decimal_text(run_id, run);
    decimal_text(step_id, step);
    for (size_t i = 0; i < results->count; i++) {
        const CheckResult *result = &results->items[i];
        ROWS_AUTO(rows);
        if (!conn_query(
                conn,
                "insert into sluice.checks (run_id, step_id, schema_name, table_name, check_name, kind, severity, "
                "outcome, failed_rows, detail) values ($1::bigint, nullif($2::bigint, 0), $3, $4, $5, $6, $7, $8, "
                "$9::bigint, $10) returning check_id",
                10,
                (const char *const[]){run, step, schema, table, result->check->name, result->kind,
                                      result->check->warn ? "warn" : "error", result->failed_rows ? "failed" : "ok",
                                      decimal_text(result->failed_rows, failed), result->detail},
                &rows, err) ||
            !record_rows(conn, result, rows_get(rows, 0, 0), run, schema, table, err))
            return false;
    }
    return true;
}

static void describe(const CheckResult *result, Text *out)
{
    if (result->detail)
        text_appendf(out, "%s: %s", result->check->name, result->detail);
    else
        text_appendf(out, "%s: %" PRId64 " row%s", result->check->name, result->failed_rows,
                     result->failed_rows == 1 ? "" : "s");
    if (result->row_count == 0)
        return;
    text_append(out, ", the first ");
    if (result->rows[0].line)
        text_appendf(out, "on line %" PRId64 ": ", result->rows[0].line);
    text_append_shown(out, result->rows[0].json, strlen(result->rows[0].json), 200);
}

bool checks_error(const CheckResults *results, const char *schema, const char *table, const char *file, Error *err)
{
    TEXT_AUTO(what);
    const CheckResult *first = NULL;
    bool kept = false;
    for (size_t i = 0; i < results->count; i++) {
        const CheckResult *result = &results->items[i];
        if (!result->failed_rows || result->check->warn)
            continue;
        first = first ? first : result;
        kept = kept || result->row_count > 0;
        text_append(&what, what.len ? "; " : "");
        describe(result, &what);
    }
    if (!first)
        return true;
    const Place *declared = &first->check->place;
    int64_t line = first->row_count ? first->rows[0].line : 0;
    bool in_file = file && line > 0 && line <= INT_MAX;
    error_at(err, ERROR_FAILED, in_file ? file : declared->file, in_file ? (int)line : declared->line,
             in_file ? 0 : declared->column, "%zu check%s failed on %s.%s: %s", results->failed,
             results->failed == 1 ? "" : "s", schema, table, text_str(&what));
    return kept ? error_hint(err, "the rows are in sluice.failed_rows; sluice logs shows them") : false;
}

Check *checks_of(const Node *node, Arena *arena, size_t *ret_count)
{
    size_t keys = node->unique_key.count ? 2 : 0;
    Check *checks = arena_array(arena, node->check_count + keys, sizeof(Check));
    if (keys) {
        checks[0] = (Check){
            .kind = CHECK_NOT_NULL, .name = "unique_key_not_null", .place = node->place, .columns = node->unique_key};
        checks[1] =
            (Check){.kind = CHECK_UNIQUE, .name = "unique_key", .place = node->place, .columns = node->unique_key};
    }
    for (size_t i = 0; i < node->check_count; i++)
        checks[keys + i] = node->checks[i];
    *ret_count = node->check_count + keys;
    return checks;
}
