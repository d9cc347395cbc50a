#include "build/guard.h"

#include <inttypes.h>

#include "pg/rows.h"

static bool is_accepted(const Work *work) { return work->build->accepted && work->build->accepted[work->node->order]; }

static bool how_to_accept(const Work *work, const char *key, Error *err)
{
    if (work->build->by_hand)
        return error_hint(err, "load it with --accept if that is right");
    if (work->step->chunk)
        return error_hint(err, "the same call with --accept %s takes it if that is right; %s: says how far it may go",
                          work->node->name, key);
    return error_hint(err, "sluice run --accept %s takes it if that is right; %s: says how far it may go",
                      work->node->name, key);
}

bool guard_allows_empty(const Node *node)
{
    for (size_t i = 0; i < node->check_count; i++)
        if (node->checks[i].kind == CHECK_ROW_COUNT && node->checks[i].min == 0)
            return true;
    return false;
}

/* A share is that of more than so many rows, or as many as there were: half of the rows is refused by 50 %, and by
 * 100 % whatever is less than before. */
bool guard_delivery(const Work *work, int64_t rows, const char *shown, Error *err)
{
    const Amount *least = &work->node->min_rows;
    int64_t last = work->known.delivery_rows;
    if (is_accepted(work) || (rows == 0 && guard_allows_empty(work->node)))
        return true;
    if (!least->is_share && rows < least->value)
        error_at(err, ERROR_FAILED, shown, 0, 0, "the delivery has %" PRId64 " row%s, and min_rows wants %" PRId64,
                 rows, rows == 1 ? "" : "s", least->value);
    else if (least->is_share && last > 0 && rows < last && (double)rows * 100 <= (double)last * (double)least->value)
        error_at(err, ERROR_FAILED, shown, 0, 0,
                 "the delivery has %" PRId64 " row%s, the last one that was accepted had %" PRId64
                 ": min_rows wants more than %" PRId64 " %%",
                 rows, rows == 1 ? "" : "s", last, least->value);
    else
        return true;
    return how_to_accept(work, "min_rows", err);
}

static bool rows_there(const Work *work, int64_t *ret_rows, Error *err)
{
    *ret_rows = work->known.total;
    if (*ret_rows >= 0)
        return true;
    TEXT_AUTO(sql);
    text_appendf(&sql, "select count(*) from %s", work->target.quoted);
    ROWS_AUTO(rows);
    if (!conn_query(work->build->conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    *ret_rows = rows_int(rows, 0, 0);
    return true;
}

bool guard_shrink(const Work *work, const Diff *diff, Error *err)
{
    const Amount *most = &work->node->max_shrink;
    int64_t lost = diff->counts.deleted - diff->counts.inserted, before;
    if (lost <= 0 || is_accepted(work))
        return true;
    if (!rows_there(work, &before, err))
        return false;
    lost += work->lost_before;
    bool too_much = most->is_share ? (double)lost * 100 > (double)before * (double)most->value : lost > most->value;
    if (!too_much)
        return true;
    error_at(err, ERROR_FAILED, work->node->place.file, 0, 0,
             "%s.%s would shrink from %" PRId64 " rows to %" PRId64 ", and max_shrink allows %" PRId64 "%s",
             work->target.schema, work->target.name, before, before - lost, most->value,
             most->is_share ? " %" : " rows");
    return how_to_accept(work, "max_shrink", err);
}
