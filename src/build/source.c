#include "build/declared.h"
#include "build/guard.h"
#include "build/work.h"

static const char *mode_name(LoadMode mode)
{
    static const char *const names[] = {[LOAD_UPSERT] = "upsert", [LOAD_REPLACE] = "replace", [LOAD_APPEND] = "append"};
    return names[mode];
}

static bool publish_new(Work *work, const LoadResult *loaded, Error *err)
{
    work_count(work, loaded->rows, 0, 0);
    work->result->outcome = STEP_OK;
    work->result->reason = "new table";
    work->total = loaded->rows;
    work_touch_everything(work);
    return work_add_key(work, &work->target, err) && work_date_rows(work, err);
}

static bool publish_diff(Work *work, const Table *stage, const LoadResult *loaded, Error *err)
{
    Conn *conn = work->build->conn;
    const Node *node = work->node;
    DiffScope scope = {
        .delete_missing = node->mode == LOAD_REPLACE,
        .number = work->step->step_id,
        .stage_rows = loaded->rows,
    };
    scope.time_column = work_time_column(work, &scope.time_type);
    Diff diff;
    bool found = node->mode == LOAD_APPEND
                     ? diff_find_append(conn, stage, &work->target, NULL, NULL, &scope, work->arena, &diff, err)
                     : diff_find(conn, stage, &work->target, &node->unique_key, &scope, work->arena, &diff, err);
    return found && work_write(work, &diff, err);
}

/* The same delivery once more would double the rows of a table that only grows, unless it was taken back. */
static bool same_delivery(const Work *work, const LoadResult *loaded)
{
    bool again = work->known.taken_back && work->build->full_refresh;
    return work->node->mode == LOAD_APPEND && !again && str_eq(work->known.content_hash, loaded->hash);
}

/* The table stands: rows were staged beside it. */
static bool publish_rows(Work *work, const Table *name, const LoadResult *loaded, Error *err)
{
    Conn *conn = work->build->conn;
    Table stage;
    if (same_delivery(work, loaded)) {
        work->stays = true;
        work->result->outcome = STEP_UNCHANGED;
        work->result->reason = "the file is the one that was appended last";
        work->total = work->known.total;
        return table_stage_drop(conn, name, err);
    }
    return table_find(conn, name->schema, name->name, work->arena, &stage, err) &&
           work_fit_columns(work, &stage, NULL, err) && table_stage_analyze(conn, &stage, loaded->rows, err) &&
           publish_diff(work, &stage, loaded, err) && table_stage_drop(conn, &stage, err);
}

/* A delivery without rows is far more often an accident than the truth. */
static bool check_rows_there(const Work *work, const Load *load, const LoadResult *loaded, Error *err)
{
    if (loaded->rows > 0 || guard_allows_empty(work->node))
        return true;
    error_at(err, ERROR_FAILED, load->shown, 1, 0, "the file has a header and no rows");
    return error_hint(err, "where that can be right, the source says so: checks: [{row_count: {min: 0}}]");
}

/* Rows added to what is there: a key that is there already is an error of the file's. */
static bool place_duplicate(const Work *work, const Load *load, Error *err)
{
    if (!str_eq(err->sqlstate, "23505") || err->file)
        return false;
    error_place(err, load->shown, 0, 0);
    return error_hint(err, work->node->mode == LOAD_APPEND
                               ? "append only adds; mode: upsert updates the rows whose key is there"
                               : "the table has a unique index that the file's rows break");
}

static bool is_loaded(const Work *work, bool *ret_loaded, Error *err)
{
    *ret_loaded = false;
    if (!work->target.exists || work->build->full_refresh)
        return true;
    return declared_is_loaded(work->build->project, work->node, &work->known, work->arena, ret_loaded, err);
}

static bool stay(Work *work, Error *err)
{
    work->stays = true;
    work->result->outcome = STEP_UNCHANGED;
    work->result->reason =
        work->known.taken_back ? "the file is the one that was taken back" : step_unchanged_reason(work->node);
    work->content_hash = work->known.content_hash;
    work->content_size = work->known.content_size;
    work->total = work->known.total;
    work->only_restless = true;
    bool good = work_check(work, work->target.quoted, NULL, false, NULL, err);
    work->only_restless = false;
    return good;
}

static bool load_file(Work *work, Error *err)
{
    Conn *conn = work->build->conn;
    const Node *node = work->node;
    Load load = {
        .path = node->csv,
        .shown = node->csv_shown,
        .delimiter = node->delimiter,
        .columns = node->columns,
        .column_count = node->column_count,
        .utc = str_eq(work->build->project->timezone, "UTC"),
    };
    Table stage = work->target;
    LoadResult loaded;
    if (stage.exists && !table_stage_name(conn, stage.schema, work->step->step_id, work->arena, &stage, err))
        return false;
    if (!load_create(conn, &load, &stage, err) || !load_copy(conn, &load, &stage, &loaded, err) ||
        !check_rows_there(work, &load, &loaded, err) || !guard_delivery(work, loaded.rows, load.shown, err))
        return false;
    work->delivery_rows = loaded.rows;
    work->result->total = loaded.rows;
    work->content_hash = arena_strdup(work->arena, loaded.hash);
    work->content_size = (int64_t)loaded.bytes;
    if (!(work->dry || ledger_load_in_txn(conn, work->step->step_id, load.shown, loaded.bytes, loaded.hash, loaded.rows,
                                          mode_name(node->mode), err)) ||
        !((work->target.exists && loaded.rows <= TABLE_SMALL) || work_try_key(work, stage.quoted, err)) ||
        !work_check(work, stage.quoted, NULL, true, &load, err))
        return false;
    if (!work->target.exists)
        return publish_new(work, &loaded, err);
    return publish_rows(work, &stage, &loaded, err) || place_duplicate(work, &load, err);
}

bool work_source(Work *work, Error *err)
{
    if (work->node->csv) {
        bool loaded;
        work->definition = declared_load(work->build->project, work->arena);
        return is_loaded(work, &loaded, err) && (loaded ? stay(work, err) : load_file(work, err));
    }
    if (!work->target.exists) {
        error_at(err, ERROR_FAILED, work->node->place.file, work->node->place.line, 0, "%s.%s is not there",
                 work->target.schema, work->target.name);
        return error_hint(err, "the source names no file, so others are to make this table");
    }
    work->result->outcome = STEP_UNCHANGED;
    work->result->reason = "checked; others write this table";
    return work_check(work, work->target.quoted, NULL, false, NULL, err);
}
