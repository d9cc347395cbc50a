#include <inttypes.h>
#include <string.h>

#include "pg/rows.h"
#include "publish/diff.h"

/* The statements; those that stay empty have nothing to do. */
typedef struct Writing {
    Text delete, update, insert;
    DiffCounts expected;
} Writing;

static void writing_clear(Writing *w)
{
    text_clear(&w->delete);
    text_clear(&w->update);
    text_clear(&w->insert);
}

static bool append_insert(Conn *conn, const Diff *diff, bool in_place, Text *out, Error *err)
{
    TEXT_AUTO(columns);
    TEXT_AUTO(values);
    if (!table_column_list(conn, diff->stage, "", &columns, err) ||
        !table_column_list(conn, diff->stage, "s.", &values, err) ||
        (diff->extra_column && (!conn_format(conn, &columns, err, ", %I", diff->extra_column) ||
                                !conn_format(conn, &values, err, ", %s", diff->extra_value))))
        return false;
    text_appendf(out, "insert into %s (%s) select %s from ", diff->target->quoted, text_str(&columns),
                 text_str(&values));
    if (diff->appends || diff->anew)
        text_appendf(out, "%s s", diff->stage->quoted);
    else
        text_appendf(out, "%s d join %s s on s.ctid = d.new_place%s", diff->rows, diff->stage->quoted,
                     in_place ? " where d.old_place is null" : "");
    return true;
}

static bool append_update(Conn *conn, const Diff *diff, Text *out, Error *err)
{
    text_appendf(out, "update %s t set ", diff->target->quoted);
    bool some = false;
    for (size_t i = 0; i < diff->stage->column_count; i++) {
        const char *name = diff->stage->columns[i].name;
        if (diff->stage->columns[i].generated)
            continue;
        if (!conn_format(conn, out, err, "%s%I = s.%I", some ? ", " : "", name, name))
            return false;
        some = true;
    }
    text_appendf(out,
                 " from %s d join %s s on s.ctid = d.new_place "
                 "where d.old_place is not null and t.ctid = d.old_place and t.tableoid = d.old_part",
                 diff->rows, diff->stage->quoted);
    return true;
}

static void append_delete(const Diff *diff, bool in_place, Text *out)
{
    const char *target = diff->target->quoted, *filter = diff->scope.filter;
    if (diff->anew && filter)
        text_appendf(out, "delete from %s where (%s)", target, filter);
    else if (diff->anew)
        text_appendf(out, "delete from %s", target);
    else
        text_appendf(out, "delete from %s t using %s d where %s and t.ctid = d.old_place and t.tableoid = d.old_part",
                     target, diff->rows, in_place ? "d.new_place is null" : "d.old_place is not null");
}

/* in_place: else rows that differ are deleted and inserted. */
static bool prepare(Conn *conn, const Diff *diff, bool in_place, Writing *w, Error *err)
{
    const DiffCounts *counts = &diff->counts;
    int64_t moved = in_place ? 0 : counts->updated;
    w->expected = (DiffCounts){counts->inserted + moved, counts->updated - moved, counts->deleted + moved};
    if (w->expected.deleted)
        append_delete(diff, in_place, &w->delete);
    return (!w->expected.updated || append_update(conn, diff, &w->update, err)) &&
           (!w->expected.inserted || append_insert(conn, diff, in_place, &w->insert, err));
}

static bool run(Conn *conn, const Text *sql, int64_t *ret_count, Error *err)
{
    *ret_count = 0;
    return sql->len == 0 || conn_exec_counted(conn, text_str(sql), ret_count, err);
}

/* Deletes go first, and inserts last, so that values of unique indexes are free when they are taken anew. */
static bool write_apart(Conn *conn, const Writing *w, DiffCounts *ret, Error *err)
{
    return run(conn, &w->delete, &ret->deleted, err) && run(conn, &w->update, &ret->updated, err) &&
           run(conn, &w->insert, &ret->inserted, err);
}

/* As one statement, at whose end keys that refer are judged; its parts run in the order in which their counts are asked
 * for. */
static bool write_at_once(Conn *conn, const Writing *w, DiffCounts *ret, Error *err)
{
    const Text *const parts[] = {&w->delete, &w->update, &w->insert};
    TEXT_AUTO(sql);
    TEXT_AUTO(counts);
    for (int i = 0; i < 3; i++) {
        if (parts[i]->len)
            text_appendf(&sql, "%ssluice_%d as (%s returning 1)", sql.len ? ", " : "with ", i, text_str(parts[i]));
        if (parts[i]->len)
            text_appendf(&counts, "%s(select count(*) from sluice_%d)", i ? ", " : "select ", i);
        else
            text_append(&counts, i ? ", 0" : "select 0");
    }
    text_appendf(&sql, " %s", text_str(&counts));
    ROWS_AUTO(rows);
    if (!conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    *ret = (DiffCounts){rows_int(rows, 0, 2), rows_int(rows, 0, 1), rows_int(rows, 0, 0)};
    return true;
}

static bool kept_from(const Diff *diff, int64_t rows, Error *err)
{
    const Table *target = diff->target;
    if (diff->facts.triggers) {
        error_set(err, ERROR_FAILED,
                  "%s.%s does not hold what was to be published: a trigger (%s) kept back or changed "
                  "%" PRId64 " row%s",
                  target->schema, target->name, diff->facts.triggers, rows, rows == 1 ? "" : "s");
        return error_hint(err, "a table is what its query or its files say: let the query do what the trigger does, or "
                               "let the trigger leave the rows as they are");
    }
    error_set(err, ERROR_FAILED, "%s.%s was written by others while it was published (or a rule of it kept rows back)",
              target->schema, target->name);
    memcpy(err->sqlstate, "40001", sizeof err->sqlstate);
    return error_hint(err, "only sluice is to write a table that it keeps");
}

static int64_t distance(int64_t a, int64_t b) { return a > b ? a - b : b - a; }

static bool counts_right(const Diff *diff, const DiffCounts *expected, const DiffCounts *found, Error *err)
{
    int64_t wrong = distance(expected->inserted, found->inserted) + distance(expected->updated, found->updated) +
                    distance(expected->deleted, found->deleted);
    return wrong == 0 || kept_from(diff, wrong, err);
}

/* Where a trigger may have changed rows, the two are compared once more. Rows that were only added, or told, cannot be
 * told from those that were there. */
static bool holds_the_stage(Conn *conn, const Diff *diff, Error *err)
{
    if (!diff->facts.triggers || diff->appends || diff->told)
        return true;
    TEXT_AUTO(sql);
    text_append(&sql, "select count(*) ");
    ROWS_AUTO(rows);
    if (!diff_append_differing(conn, diff, &sql, err) || !conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    return rows_int(rows, 0, 0) == 0 || kept_from(diff, rows_int(rows, 0, 0), err);
}

static bool write_way(Conn *conn, const Diff *diff, bool in_place, Error *err)
{
    Writing w __attribute__((cleanup(writing_clear))) = {0};
    DiffCounts written = {0};
    if (!prepare(conn, diff, in_place, &w, err))
        return false;
    bool at_once = !in_place || diff->facts.refers_to_itself;
    return (at_once ? write_at_once : write_apart)(conn, &w, &written, err) &&
           counts_right(diff, &w.expected, &written, err);
}

/* Indexes are judged row by row: an update in place may meet a value that a later row is to give up. */
static bool write_either_way(Conn *conn, const Diff *diff, Error *err)
{
    const DiffFacts *facts = &diff->facts;
    if (diff->counts.updated == 0 || !facts->other_unique || facts->deletes_act || !facts->covered)
        return write_way(conn, diff, true, err);
    if (!conn_exec(conn, "savepoint sluice_write", err))
        return false;
    if (write_way(conn, diff, true, err))
        return conn_exec(conn, "release savepoint sluice_write", err);
    if (!str_eq(err->sqlstate, "23505") && !str_eq(err->sqlstate, "23P01"))
        return false;
    error_clear(err);
    return conn_exec(conn, "rollback to savepoint sluice_write; release savepoint sluice_write", err) &&
           write_way(conn, diff, false, err);
}

bool diff_write(Conn *conn, const Diff *diff, Error *err)
{
    if (diff_is_empty(diff))
        return true;
    return (write_either_way(conn, diff, err) && holds_the_stage(conn, diff, err)) || diff_explain(diff, err);
}

bool diff_drop(Conn *conn, const Diff *diff, Error *err)
{
    if (!diff->work_table)
        return true;
    TEXT_AUTO(sql);
    text_appendf(&sql, "drop table %s", diff->work_table);
    return conn_exec(conn, text_str(&sql), err);
}

bool diff_apply(Conn *conn, const Table *stage, const Table *target, const Strings *key, const DiffScope *scope,
                Arena *arena, Diff *ret, Error *err)
{
    return diff_find(conn, stage, target, key, scope, arena, ret, err) && diff_write(conn, ret, err) &&
           diff_drop(conn, ret, err);
}

static bool row_security(const Table *target, Error *err)
{
    return error_hint(
        err,
        "sluice must see and write every row of %s.%s: let its role own the table and row security not be "
        "forced on the owner (alter table %s no force row level security), or give it BYPASSRLS",
        target->schema, target->name, target->quoted);
}

bool diff_explain(const Diff *diff, Error *err)
{
    const Table *target = diff->target;
    const char *state = err->sqlstate;
    if (err->code == ERROR_FAILED && str_eq(state, "42501") && strstr(err->message, "row-level security"))
        return row_security(target, err); /* the server's own hint covers half of it */
    if (err->code != ERROR_FAILED || err->hint)
        return false;
    if (str_eq(state, "23514") && target->relkind == 'p' && strstr(err->message, "no partition"))
        return error_hint(err, "create the partition that is to hold the row, or a default one: sluice makes none");
    if (str_eq(state, "23505") && diff->key && diff->scope.filter)
        return error_hint(err, "the row that has this key already lies outside what was recomputed: a run with "
                               "--full-refresh compares all of the table");
    if (str_eq(state, "23503"))
        return error_hint(err, "the new rows break a foreign key: bring the other table up to date first, or declare "
                               "the constraint deferrable");
    if ((str_eq(state, "23505") || str_eq(state, "23P01")) && (diff->facts.deletes_act || !diff->facts.covered))
        return error_hint(err, "where rows are to exchange values, declare the constraint deferrable");
    return false;
}
