#include "publish/undo.h"

#include <inttypes.h>
#include <string.h>

#include "pg/rows.h"
#include "record/array.h"
#include "record/change.h"
#include "record/statements.h"

enum { SHOWN_BYTES = 200 };

/* --- keeping --------------------------------------------------------------------------------------------------- */

static bool keep_entry(Conn *conn, const Diff *diff, int64_t step_id, int keep, int64_t *ret_undo_id, Error *err)
{
    ARRAY_AUTO(images);
    for (size_t i = 0; i < diff->stage->column_count; i++)
        if (!diff->stage->columns[i].generated)
            array_add(&images, diff->stage->columns[i].name);
    if (diff->extra_column)
        array_add(&images, diff->extra_column);
    char step[DECIMAL_TEXT], others[DECIMAL_TEXT];
    const Table *target = diff->target;
    ROWS_AUTO(rows);
    if (!conn_query(conn, sql_undo_keep, 6,
                    (const char *const[]){target->schema, target->name, decimal_text(step_id, step), target->quoted,
                                          array_str(&images), decimal_text(keep - 1, others)},
                    &rows, err))
        return false;
    *ret_undo_id = rows_int(rows, 0, 0);
    return true;
}

bool undo_keep(Conn *conn, const Diff *diff, int64_t step_id, int keep, Error *err)
{
    int64_t undo_id;
    if (diff_is_empty(diff))
        return true;
    TEXT_AUTO(new);
    TEXT_AUTO(sql);
    if (!keep_entry(conn, diff, step_id, keep, &undo_id, err) ||
        !table_column_list(conn, diff->stage, "s.", &new, err) ||
        (diff->extra_column && !conn_format(conn, &new, err, ", %s", diff->extra_value)))
        return false;
    text_appendf(&sql,
                 "insert into sluice.undo_rows (undo_id, nth, old_row, new_row) select %" PRId64 ", "
                 "row_number() over (), case when d.old_place is not null then (t.*)::text end, "
                 "case when d.new_place is not null then row(%s)::text end from %s d "
                 "left join %s t on t.ctid = d.old_place and t.tableoid = d.old_part "
                 "left join %s s on s.ctid = d.new_place",
                 undo_id, text_str(&new), diff->rows, diff->target->quoted, diff->stage->quoted);
    return conn_exec(conn, text_str(&sql), err) || diff_explain(diff, err);
}

/* --- taking back ----------------------------------------------------------------------------------------------- */

typedef struct Taking {
    Conn *conn;
    const Table *target;
    Arena *arena;
    DiffScope scope;
    int64_t undo_id;
    int64_t placed;     /* rows that the publish put there */
    const char *images; /* their columns: x."a", x."b" */
    Table stage;        /* the rows of before */
} Taking;

static bool nothing_kept(const Table *target, Error *err)
{
    error_set(err, ERROR_FAILED, "no publish of %s.%s is kept that could be taken back", target->schema, target->name);
    return error_hint(err,
                      "rollback: 3 in its file keeps the rows that so many publishes change, from the next one on");
}

static bool other_columns(const Table *target, const char *then, Error *err)
{
    error_set(err, ERROR_FAILED, "the columns of %s.%s are not those of the publish that is to be taken back",
              target->schema, target->name);
    return error_hint(err, "then they were: %s", then);
}

static bool find_newest(Taking *taking, UndoTaken *ret, Error *err)
{
    const Table *target = taking->target;
    ROWS_AUTO(rows);
    if (!conn_query(taking->conn, sql_undo_newest, 3,
                    (const char *const[]){target->schema, target->name, target->quoted}, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return nothing_kept(target, err);
    if (!rows_bool(rows, 0, 3))
        return other_columns(target, rows_get(rows, 0, 4), err);
    *ret = (UndoTaken){
        .step_id = rows_int(rows, 0, 1),
        .published_at = arena_strdup(taking->arena, rows_get(rows, 0, 2)),
        .rows_total = rows_get(rows, 0, 5) ? rows_int(rows, 0, 5) : -1,
        .delivery_rows = rows_get(rows, 0, 6) ? rows_int(rows, 0, 6) : -1,
    };
    taking->undo_id = rows_int(rows, 0, 0);
    taking->placed = rows_int(rows, 0, 7);
    TEXT_AUTO(images);
    for (int i = 0; i < rows_count(rows); i++)
        if (!conn_format(taking->conn, &images, err, "%sx.%I", i ? ", " : "", rows_get(rows, i, 9)))
            return false;
    taking->images = arena_strdup(taking->arena, text_str(&images));
    return true;
}

/* The rows of before become a stage, with the number of each beside; what cannot be written of the target cannot be of
 * them. */
static bool stage_old_rows(Taking *taking, Error *err)
{
    Table *stage = &taking->stage;
    if (!table_stage_name(taking->conn, taking->target->schema, taking->scope.number, taking->arena, stage, err))
        return false;
    stage->columns = taking->target->columns;
    stage->column_count = taking->target->column_count;
    TEXT_AUTO(sql);
    text_appendf(&sql,
                 "create table %s as select u.nth as sluice_nr, (u.r).* from (select nth, old_row::%s as r "
                 "from sluice.undo_rows where undo_id = %" PRId64 " and old_row is not null offset 0) u",
                 stage->quoted, taking->target->quoted, taking->undo_id);
    return conn_exec(taking->conn, text_str(&sql), err);
}

/* sluice_placed: each row that the publish put there, beside the row of the table that it is: of those that are alike
 * each by itself. part and place are null where there is none. */
static bool append_placed(const Taking *taking, Text *out, Error *err)
{
    TEXT_AUTO(time);
    if (taking->scope.time_column &&
        !conn_format(taking->conn, &time, err, ", x.%I as time", taking->scope.time_column))
        return false;
    text_appendf(
        out,
        "with sluice_put as (select nth, new_row, row_number() over (partition by new_row order by nth) as twin "
        "from sluice.undo_rows where undo_id = %" PRId64 " and new_row is not null), "
        "sluice_there as (select i.*, row_number() over (partition by i.image order by i.part, i.place) as twin "
        "from (select x.tableoid as part, x.ctid as place, row(%s)::text as image%s from %s x offset 0) i "
        "where i.image in (select new_row from sluice_put)), "
        "sluice_placed as (select p.nth, p.new_row, h.part, h.place%s from sluice_put p left join sluice_there h "
        "on h.image = p.new_row and h.twin = p.twin) ",
        taking->undo_id, taking->images, text_str(&time), taking->target->quoted, time.len ? ", h.time" : "");
    return true;
}

static bool pair_rows(Taking *taking, Diff *ret, Error *err)
{
    TEXT_AUTO(select);
    TEXT_AUTO(times);
    if (!append_placed(taking, &select, err) ||
        (taking->scope.time_column &&
         !conn_format(taking->conn, &times, err, ", p.time as old_time, s.%I as new_time", taking->scope.time_column)))
        return false;
    text_appendf(&select,
                 "select p.part as old_part, p.place as old_place, s.ctid as new_place%s from sluice.undo_rows u "
                 "left join sluice_placed p on p.nth = u.nth left join %s s on s.sluice_nr = u.nth "
                 "where u.undo_id = %" PRId64,
                 text_str(&times), taking->stage.quoted, taking->undo_id);
    return diff_told(taking->conn, &taking->stage, taking->target, text_str(&select), &taking->scope, taking->arena,
                     ret, err);
}

static bool all_there(const Taking *taking, const Diff *diff, Error *err)
{
    TEXT_AUTO(sql);
    text_appendf(&sql, "select count(*) from %s d where d.old_place is not null", diff->rows);
    ROWS_AUTO(found);
    if (!conn_query(taking->conn, text_str(&sql), 0, NULL, &found, err))
        return false;
    int64_t missing = taking->placed - rows_int(found, 0, 0);
    if (missing == 0)
        return true;
    text_reset(&sql);
    if (!append_placed(taking, &sql, err))
        return false;
    text_append(&sql, "select new_row from sluice_placed where place is null order by nth limit 1");
    ROWS_AUTO(rows);
    if (!conn_query(taking->conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    const char *row = rows_count(rows) ? rows_get(rows, 0, 0) : "";
    TEXT_AUTO(shown);
    text_append_shown(&shown, row, strlen(row), SHOWN_BYTES);
    error_set(err, ERROR_FAILED, "%s.%s no longer holds what was published: %" PRId64 " row%s changed since",
              taking->target->schema, taking->target->name, missing, missing == 1 ? "" : "s");
    return error_detail(err, "not there: %s", text_str(&shown));
}

static bool record_touched(const Taking *taking, const Diff *diff, int64_t step_id, Error *err)
{
    ChangeEntry entry = {
        .schema = taking->target->schema,
        .table = taking->target->name,
        .step_id = step_id,
        .ranges = diff->ranges,
        .nulls = diff->nulls,
        .everything = diff->everything,
    };
    return change_record_in_txn(taking->conn, &entry, err);
}

static bool remove_entry(const Taking *taking, Error *err)
{
    char id[DECIMAL_TEXT];
    return conn_query(taking->conn, "delete from sluice.undo where undo_id = $1::bigint", 1,
                      (const char *const[]){decimal_text(taking->undo_id, id)}, NULL, err);
}

bool undo_take_back(Conn *conn, const Table *target, const DiffScope *scope, int64_t step_id, Arena *arena,
                    UndoTaken *ret, Error *err)
{
    Taking taking = {.conn = conn, .target = target, .arena = arena, .scope = *scope};
    Diff diff;
    if (!diff_dated(target, target, scope))
        taking.scope.time_column = NULL;
    if (!find_newest(&taking, ret, err) || !stage_old_rows(&taking, err) || !pair_rows(&taking, &diff, err) ||
        !all_there(&taking, &diff, err))
        return false;
    ret->counts = diff.counts;
    return diff_write(conn, &diff, err) && diff_drop(conn, &diff, err) && table_stage_drop(conn, &taking.stage, err) &&
           record_touched(&taking, &diff, step_id, err) && remove_entry(&taking, err);
}
