/* From what changed to what is to be done. */
#include "sql/reach_analysis.h"

const char *decision_name(DecisionKind kind)
{
    static const char *const names[] = {
        [DECISION_SKIP] = "skip", [DECISION_RANGE] = "range", [DECISION_FROM] = "from", [DECISION_FULL] = "full"};
    return names[kind];
}

static void set_everything(Touched *touched) { *touched = (Touched){.everything = true}; }

/* Dates are whole days: the first one at or after an end is the same end. */
static int64_t next_day(int64_t value)
{
    if (value <= RANGES_LOW || value >= RANGES_HIGH || value % RANGES_DAY == 0)
        return value;
    return ranges_plus(value, RANGES_DAY - (value % RANGES_DAY + RANGES_DAY) % RANGES_DAY);
}

static void settle(Touched *touched, SqlTimeType type)
{
    Ranges whole = {.count = 0};
    for (size_t i = 0; type == SQL_TIME_DATE && i < touched->ranges.count; i++)
        ranges_add(&whole, next_day(touched->ranges.items[i].from), next_day(touched->ranges.items[i].to));
    if (type == SQL_TIME_DATE)
        touched->ranges = whole;
    if (!touched->everything && touched->nulls && ranges_is_all(&touched->ranges))
        set_everything(touched);
}

void reach_touched(const SqlReach *reach, size_t input, const Touched *changed, Touched *ret)
{
    const ReachInput *from = &reach->inputs[input];
    *ret = *changed;
    if (touched_nothing(changed))
        return;
    if (reach->full || !from->bounded || changed->everything || (changed->nulls && from->joined)) {
        set_everything(ret);
        return;
    }
    for (size_t i = 0; i < from->step_count; i++)
        reach_step_touched(&from->steps[i], ret);
    settle(ret, reach->time_type);
}

void reach_needed(const SqlReach *reach, size_t input, const Touched *output, Touched *ret)
{
    const ReachInput *from = &reach->inputs[input];
    *ret = *output;
    if (touched_nothing(output))
        return;
    if (reach->full || !from->bounded || output->everything) {
        set_everything(ret);
        return;
    }
    for (size_t i = from->step_count; i-- > 0;)
        reach_step_needed(&from->steps[i], ret);
    settle(ret, from->relation->time_type);
}

static void decide_full(Arena *arena, const SqlReach *reach, ReachReason why, Decision *ret)
{
    ret->kind = DECISION_FULL;
    set_everything(&ret->touched);
    ret->needed = arena_array(arena, reach->input_count, sizeof *ret->needed);
    for (size_t i = 0; i < reach->input_count; i++)
        set_everything(&ret->needed[i]);
    ret->why = why;
}

static void look_back(Touched *touched, int64_t lookback)
{
    if (lookback <= 0)
        return;
    Ranges wider = {.count = 0};
    for (size_t i = 0; i < touched->ranges.count; i++)
        ranges_add(&wider, ranges_plus(touched->ranges.items[i].from, -lookback), touched->ranges.items[i].to);
    touched->ranges = wider;
}

static bool reaches_an_end(const Ranges *ranges)
{
    Range hull = ranges_hull(ranges);
    return ranges->count && (hull.from <= RANGES_LOW || hull.to >= RANGES_END);
}

/* Which of two touched sets is the wider, for the one reason that is shown. */
static uint64_t extent(const Touched *touched)
{
    Range hull = ranges_hull(&touched->ranges);
    return (uint64_t)hull.to - (uint64_t)hull.from + (touched->nulls ? 1 : 0);
}

/* Why anything may have changed of an input's output. */
static ReachReason why_everything(Arena *arena, const ReachInput *input, const Touched *changed)
{
    if (!input->bounded && input->why.text)
        return input->why;
    const char *label = sql_relation_label(input->relation);
    ReachReason why = {.file = input->why.file, .line = input->line, .column = input->column};
    if (changed->everything)
        why.text = arena_printf(arena, "anything may have changed in %s", label);
    else if (changed->nulls)
        why.text = arena_printf(arena, "rows of %s without a %s changed, and may stand in any frame or match", label,
                                input->relation->time_column ? input->relation->time_column : "time");
    else
        why.text = arena_printf(arena, "a change in %s reaches every row", label);
    return why;
}

void sql_reach_decide(Arena *arena, const SqlReach *reach, const Touched *changed, int64_t lookback, Decision *ret)
{
    *ret = (Decision){.kind = DECISION_SKIP};
    bool nothing = true;
    for (size_t i = 0; i < reach->input_count; i++)
        nothing = nothing && touched_nothing(&changed[i]);
    if (reach->full && (reach->volatile_result || !nothing)) {
        decide_full(arena, reach, reach->why_full, ret);
        return;
    }
    ret->needed = arena_array(arena, reach->input_count, sizeof *ret->needed);
    if (nothing)
        return;
    uint64_t widest = 0;
    for (size_t i = 0; i < reach->input_count; i++) {
        Touched touched;
        reach_touched(reach, i, &changed[i], &touched);
        if (touched.everything) {
            decide_full(arena, reach, why_everything(arena, &reach->inputs[i], &changed[i]), ret);
            return;
        }
        if (!touched_nothing(&touched) && (!widest || extent(&touched) > widest)) {
            widest = extent(&touched);
            ret->why = reach->inputs[i].why;
        }
        touched_union(&ret->touched, &touched);
    }
    if (touched_nothing(&ret->touched))
        return;
    look_back(&ret->touched, lookback);
    for (size_t i = 0; i < reach->input_count; i++)
        reach_needed(reach, i, &ret->touched, &ret->needed[i]);
    ret->kind = reaches_an_end(&ret->touched.ranges) ? DECISION_FROM : DECISION_RANGE;
}
