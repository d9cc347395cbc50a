#include "build/work.h"
#include "publish/diff.h"

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
    return work_add_key(work, &work->target, err);
}

static bool publish_diff(Work *work, const Table *stage, const LoadResult *loaded, Error *err)
{
    Conn *conn = work->build->conn;
    const Node *node = work->node;
    DiffCounts counts = {0};
    bool good;
    if (node->mode == LOAD_APPEND)
        good = diff_append(conn, stage, &work->target, "", "", &counts, err);
    else
        good = diff_apply(conn, stage, &work->target, &node->unique_key, node->mode == LOAD_REPLACE, work->arena,
                          &counts, err);
    if (!good)
        return false;
    work_count(work, counts.inserted, counts.updated, counts.deleted);
    if (node->mode == LOAD_REPLACE)
        work->total = loaded->rows;
    else if (work->known.total >= 0)
        work->total = work->known.total + counts.inserted;
    return true;
}

/* The same delivery once more would double the rows of a table that only grows. */
static bool same_delivery(const Work *work, const LoadResult *loaded)
{
    return work->node->mode == LOAD_APPEND && str_eq(work->known.content_hash, loaded->hash);
}

/* The table stands: rows were staged beside it. */
static bool publish_stage(Work *work, const Table *name, const LoadResult *loaded, Error *err)
{
    Conn *conn = work->build->conn;
    Table stage;
    TEXT_AUTO(analyze);
    TEXT_AUTO(drop);
    text_appendf(&analyze, "analyze %s", name->quoted);
    text_appendf(&drop, "drop table %s", name->quoted);
    if (same_delivery(work, loaded)) {
        work->result->outcome = STEP_UNCHANGED;
        work->result->reason = "the file is the one that was appended last";
        work->total = work->known.total;
        return conn_exec(conn, text_str(&drop), err);
    }
    return table_find(conn, name->schema, name->name, work->arena, &stage, err) &&
           table_same_columns(&stage, &work->target, NULL, err) &&
           (loaded->rows <= STAGE_SMALL || conn_exec(conn, text_str(&analyze), err)) &&
           publish_diff(work, &stage, loaded, err) && conn_exec(conn, text_str(&drop), err);
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
    if (stage.exists && !table_stage_name(conn, stage.schema, work->build->run_id, work->arena, &stage, err))
        return false;
    if (!load_create(conn, &load, &stage, !work->target.exists, err) || !load_copy(conn, &load, &stage, &loaded, err))
        return false;
    work->result->total = loaded.rows;
    work->content_hash = arena_strdup(work->arena, loaded.hash);
    if (!ledger_load_in_txn(conn, work->step->step_id, load.shown, loaded.bytes, loaded.hash, loaded.rows,
                            mode_name(node->mode), err) ||
        !((work->target.exists && loaded.rows <= STAGE_SMALL) || work_try_key(work, stage.quoted, err)) ||
        !work_check(work, stage.quoted, NULL, true, &load, err))
        return false;
    return work->target.exists ? publish_stage(work, &stage, &loaded, err) : publish_new(work, &loaded, err);
}

bool work_source(Work *work, Error *err)
{
    if (work->node->csv)
        return load_file(work, err);
    if (!work->target.exists) {
        error_at(err, ERROR_FAILED, work->node->place.file, work->node->place.line, 0, "%s.%s is not there",
                 work->target.schema, work->target.name);
        return error_hint(err, "the source names no file, so others are to make this table");
    }
    work->result->outcome = STEP_UNCHANGED;
    work->result->reason = "checked; others write this table";
    return work_check(work, work->target.quoted, NULL, false, NULL, err);
}
