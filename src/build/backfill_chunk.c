#include "build/backfill_chunk.h"

#include <inttypes.h>

#include "build/partial.h"
#include "build/query.h"
#include "pg/rows.h"
#include "record/statements.h"

static bool claim(Work *work, const BackfillChunk *chunk, bool *ret_claimed, Error *err)
{
    char id[DECIMAL_TEXT], nth[DECIMAL_TEXT], step[DECIMAL_TEXT];
    ROWS_AUTO(rows);
    if (!conn_query_often(work->build->conn, sql_backfill_claim, 3,
                          (const char *const[]){decimal_text(chunk->backfill->id, id), decimal_text(chunk->nth, nth),
                                                decimal_text(work->step->step_id, step)},
                          &rows, err))
        return false;
    *ret_claimed = rows_count(rows) == 1;
    if (*ret_claimed)
        work->lost_before = rows_int(rows, 0, 0);
    work->known.total = chunk->backfill->rows_before;
    return true;
}

/* The plan's look was another moment. */
static bool look_again(Work *work, const BackfillChunk *chunk, Error *err)
{
    const Node *node = work->node;
    decide(&work->survey, node, &(DecideOptions){0}, &work->decided);
    if (!backfill_possible(&work->survey, node, &work->decided, err))
        return false;
    if (str_eq(work->survey.nodes[node->order]->key, chunk->backfill->step_key))
        return true;
    error_set(err, ERROR_FAILED, "the model, or something that it depends on, was changed since the backfill began");
    return error_hint(err, "the same call begins another one");
}

static void take_range(Work *work, const BackfillChunk *chunk)
{
    Decided *decided = &work->decided;
    const SqlReach *reach = &decided->reach;
    decided->kind = DECISION_RANGE;
    decided->touched = (Touched){0};
    ranges_add(&decided->touched.ranges, chunk->range.from, chunk->range.to);
    decided->needed = arena_array(work->arena, reach->input_count, sizeof *decided->needed);
    for (size_t i = 0; i < reach->input_count; i++)
        reach_needed(reach, i, &decided->touched, &decided->needed[i]);
}

/* For the record, also of a chunk that fails. */
static void tell(Work *work, const BackfillChunk *chunk)
{
    StepResult *result = work->result;
    const Backfill *backfill = chunk->backfill;
    result->decision = decision_name(DECISION_RANGE);
    TEXT_AUTO(times);
    decide_times(&work->decided.touched, work->decided.time_type, &times);
    result->touched = arena_strdup(work->arena, text_str(&times));
    result->reason =
        arena_printf(work->arena, "chunk %d of %zu of backfill %" PRId64, chunk->nth, backfill->count, backfill->id);
}

bool backfill_chunk(Work *work, Error *err)
{
    const BackfillChunk *chunk = work->step->chunk;
    bool claimed, refused;
    if (!claim(work, chunk, &claimed, err))
        return false;
    if (!claimed) {
        work->result->outcome = STEP_SKIPPED;
        work->result->busy = true;
        work->result->reason = "another backfill of the table has taken over";
        return true;
    }
    work->definition = query_definition(work->build->project, work->node, work->arena);
    if (!look_again(work, chunk, err))
        return false;
    take_range(work, chunk);
    tell(work, chunk);
    bool good = partial_remake(work, &refused, err);
    if (good && refused)
        good = error_set(err, ERROR_FAILED, "its query does not run on a part of its inputs") ||
               error_hint(err, "'sluice run %s --full-refresh' recomputes all of it", work->node->name);
    if (!good && err->code == ERROR_FAILED && !err->file)
        error_place(err, work->node->place.file, work->node->place.line, 0);
    return good;
}
