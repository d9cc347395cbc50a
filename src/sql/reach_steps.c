/* The pairs of functions: how one operator's step maps sets of times, either way. */
#include "base/clock.h"
#include "sql/reach_analysis.h"

#define SECOND INT64_C(1000000)

int64_t reach_unit_length(TimeUnit unit)
{
    static const int64_t days[] = {
        [UNIT_DAY] = 1,    [UNIT_WEEK] = 7,      [UNIT_MONTH] = 31,      [UNIT_QUARTER] = 92,
        [UNIT_YEAR] = 366, [UNIT_DECADE] = 3653, [UNIT_CENTURY] = 36525, [UNIT_MILLENNIUM] = 365250};
    switch (unit) {
    case UNIT_SECOND:
        return SECOND;
    case UNIT_MINUTE:
        return 60 * SECOND;
    case UNIT_HOUR:
        return 3600 * SECOND;
    default:
        return days[unit] * RANGES_DAY;
    }
}

int64_t reach_sum(int64_t a, int64_t b)
{
    if (a == REACH_PAST || b == REACH_PAST)
        return REACH_PAST;
    if (a == REACH_FUTURE || b == REACH_FUTURE)
        return REACH_FUTURE;
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return a > 0 ? REACH_FUTURE : REACH_PAST;
    return sum;
}

int64_t reach_negative(int64_t value)
{
    if (value == REACH_PAST)
        return REACH_FUTURE;
    return value == REACH_FUTURE ? REACH_PAST : -value;
}

int64_t reach_step_width(const ReachStep *step)
{
    if (step->kind == STEP_ROUND)
        return reach_unit_length(step->unit);
    if (step->lo == REACH_PAST || step->hi == REACH_FUTURE)
        return INT64_MAX;
    int64_t width;
    return __builtin_sub_overflow(step->hi, step->lo, &width) ? INT64_MAX : width;
}

/* ---- calendar: days from 2000-01-01 ------------------------------------------------------------------------------ */

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static int64_t days_from_month(int64_t months) /* months from year 0; of their first day */
{
    int64_t year = floor_div(months, 12);
    return days_from_civil(year, (int)(months - year * 12) + 1, 1) - RANGES_EPOCH_DAYS;
}

static int64_t month_from_days(int64_t days) /* from year 0 */
{
    int64_t year;
    int month, day;
    civil_from_days(days + RANGES_EPOCH_DAYS, &year, &month, &day);
    return year * 12 + month - 1;
}

/* Days to microseconds, the far ends being the ends. */
static int64_t day_start(int64_t days)
{
    int64_t value;
    if (__builtin_mul_overflow(days, RANGES_DAY, &value))
        return days < 0 ? RANGES_LOW : RANGES_HIGH;
    return value <= RANGES_LOW ? RANGES_LOW : value >= RANGES_HIGH ? RANGES_HIGH : value;
}

/* The months of unit; centuries begin with a year 1. Before year 1 PostgreSQL counts otherwise: one unit, all of it. */
static void month_unit(int64_t days, TimeUnit unit, int64_t *ret_from, int64_t *ret_to)
{
    static const int64_t lengths[] = {[UNIT_MONTH] = 1,    [UNIT_QUARTER] = 3,    [UNIT_YEAR] = 12,
                                      [UNIT_DECADE] = 120, [UNIT_CENTURY] = 1200, [UNIT_MILLENNIUM] = 12000};
    int64_t month = month_from_days(days), length = lengths[unit];
    if (month < 12 && unit >= UNIT_DECADE) {
        *ret_from = RANGES_LOW;
        *ret_to = day_start(days_from_month(12));
        return;
    }
    int64_t base = unit >= UNIT_CENTURY ? 12 : 0;
    int64_t first = floor_div(month - base, length) * length + base;
    *ret_from = day_start(days_from_month(first));
    *ret_to = day_start(days_from_month(first + length));
}

/* The unit that a finite time lies in: [from, to). */
static void unit_around(int64_t value, TimeUnit unit, int64_t *ret_from, int64_t *ret_to)
{
    if (unit >= UNIT_MONTH) {
        month_unit(floor_div(value, RANGES_DAY), unit, ret_from, ret_to);
        return;
    }
    int64_t length = reach_unit_length(unit);
    int64_t base = unit == UNIT_WEEK ? 2 * RANGES_DAY : 0; /* 2000-01-03 was a Monday */
    int64_t offset = (value % length - base % length) % length;
    offset += offset < 0 ? length : 0;
    *ret_from = ranges_plus(value, -offset);
    *ret_to = ranges_plus(*ret_from, length);
}

static Range round_outward(Range range, TimeUnit unit)
{
    int64_t ignored, last = range.to - 1;
    Range out = range;
    if (range.from > RANGES_LOW && range.from < RANGES_HIGH)
        unit_around(range.from, unit, &out.from, &ignored);
    if (last > RANGES_LOW && last < RANGES_HIGH)
        unit_around(last, unit, &ignored, &out.to);
    if (out.to < range.to)
        out.to = range.to;
    return out;
}

/* --- steps ------------------------------------------------------------------------------------------------------- */

/* Infinite times stay where they are: infinity minus 7 days is infinity. The integers at the ends do not: both. */
static Range shift_range(Range range, int64_t lo, int64_t hi)
{
    Range out = {.from = RANGES_LOW, .to = RANGES_END};
    if (lo != REACH_PAST)
        out.from = range.from >= RANGES_HIGH && lo < 0 ? RANGES_HIGH + lo : ranges_plus(range.from, lo);
    if (hi != REACH_FUTURE)
        out.to = (range.to - 1 <= RANGES_LOW && hi > 0 ? RANGES_LOW + hi : ranges_plus(range.to - 1, hi)) + 1;
    if (range.to - 1 >= RANGES_HIGH)
        out.to = range.to;
    if (range.from <= RANGES_LOW)
        out.from = range.from;
    return out;
}

static void map_ranges(const ReachStep *step, int64_t lo, int64_t hi, Ranges *ranges)
{
    Ranges out = {.count = 0};
    for (size_t i = 0; i < ranges->count; i++) {
        Range mapped = step->kind == STEP_ROUND ? round_outward(ranges->items[i], step->unit)
                                                : shift_range(ranges->items[i], lo, hi);
        ranges_add(&out, mapped.from, mapped.to);
        if (step->nulls == NULLS_WINDOW) /* whatever the frame, a row's own values stand in its output */
            ranges_add(&out, ranges->items[i].from, ranges->items[i].to);
    }
    *ranges = out;
}

void reach_step_needed(const ReachStep *step, Touched *touched)
{
    if (touched->everything)
        return;
    bool nulls = touched->nulls, times = touched->ranges.count > 0;
    map_ranges(step, step->lo, step->hi, &touched->ranges);
    if (step->nulls == NULLS_NONE)
        touched->nulls = false;
    if (step->nulls != NULLS_WINDOW)
        return;
    if (nulls && step->nulls_see_times)
        ranges_all(&touched->ranges);
    touched->nulls = nulls || (times && step->times_see_nulls);
}

void reach_step_touched(const ReachStep *step, Touched *touched)
{
    if (touched->everything)
        return;
    bool nulls = touched->nulls, times = touched->ranges.count > 0;
    map_ranges(step, reach_negative(step->hi), reach_negative(step->lo), &touched->ranges);
    if (step->nulls == NULLS_NONE)
        touched->nulls = false;
    if (step->nulls != NULLS_WINDOW)
        return;
    if (nulls && step->times_see_nulls)
        ranges_all(&touched->ranges);
    touched->nulls = nulls || (times && step->nulls_see_times);
}
