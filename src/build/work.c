#include "build/work.h"

#include "base/log.h"

void work_count(Work *work, int64_t inserted, int64_t updated, int64_t deleted)
{
    StepResult *result = work->result;
    result->inserted = inserted;
    result->updated = updated;
    result->deleted = deleted;
    result->outcome = inserted || updated || deleted ? STEP_OK : STEP_UNCHANGED;
}

bool work_check(Work *work, const char *quoted, const char *filter, bool fresh_load, const Load *load, Error *err)
{
    size_t count;
    Check *checks = checks_of(work->node, work->arena, &count);
    CheckTarget target = {.quoted = quoted, .filter = filter, .fresh_load = fresh_load};
    CheckResults results;
    if (!checks_run(work->build->conn, &target, checks, count, work->arena, &results, err))
        return false;
    work->result->checks = results;
    if (results.failed + results.warnings > 0 && load && !load_find_lines(load, &results, err))
        return false;
    return checks_error(&results, work->target.schema, work->target.name, load ? load->shown : NULL, err);
}

bool work_add_key(Work *work, const Table *table, Error *err)
{
    const Strings *key = &work->node->unique_key;
    if (key->count == 0)
        return true;
    TEXT_AUTO(sql);
    text_appendf(&sql, "alter table %s add primary key (", table->quoted);
    for (size_t i = 0; i < key->count; i++)
        if (!conn_format(work->build->conn, &sql, err, "%s%I", i ? ", " : "", key->items[i]))
            return false;
    text_append(&sql, ")");
    return conn_exec(work->build->conn, text_str(&sql), err);
}
