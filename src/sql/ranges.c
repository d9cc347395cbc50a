#include "sql/ranges.h"

#include <string.h>

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Of an ascending list with room for what it holds: which gap is the smallest. Gaps may be wider than int64 counts. */
static size_t smallest_gap(const Range *items, size_t count)
{
    size_t best = 0;
    uint64_t best_width = UINT64_MAX;
    for (size_t i = 0; i + 1 < count; i++) {
        uint64_t width = (uint64_t)items[i + 1].from - (uint64_t)items[i].to;
        if (width < best_width) {
            best = i;
            best_width = width;
        }
    }
    return best;
}

static size_t close_gap(Range *items, size_t count, size_t gap)
{
    items[gap].to = items[gap + 1].to;
    memmove(items + gap + 1, items + gap + 2, (count - gap - 2) * sizeof *items);
    return count - 1;
}

void ranges_limit(Ranges *ranges, size_t max)
{
    while (ranges->count > max && ranges->count > 1)
        ranges->count = close_gap(ranges->items, ranges->count, smallest_gap(ranges->items, ranges->count));
}

void ranges_add(Ranges *ranges, int64_t from, int64_t to)
{
    from = larger(from, RANGES_LOW);
    if (from >= to)
        return;
    Range merged[RANGES_MAX + 1];
    size_t count = 0, i = 0;
    while (i < ranges->count && ranges->items[i].to < from)
        merged[count++] = ranges->items[i++];
    while (i < ranges->count && ranges->items[i].from <= to) {
        from = smaller(from, ranges->items[i].from);
        to = larger(to, ranges->items[i].to);
        i++;
    }
    merged[count++] = (Range){.from = from, .to = to};
    while (i < ranges->count)
        merged[count++] = ranges->items[i++];
    if (count > RANGES_MAX)
        count = close_gap(merged, count, smallest_gap(merged, count));
    memcpy(ranges->items, merged, count * sizeof *merged);
    ranges->count = count;
}

void ranges_union(Ranges *ranges, const Ranges *other)
{
    for (size_t i = 0; i < other->count; i++)
        ranges_add(ranges, other->items[i].from, other->items[i].to);
}

void ranges_intersect(Ranges *ranges, const Ranges *other)
{
    Ranges both = {.count = 0};
    size_t i = 0, j = 0;
    while (i < ranges->count && j < other->count) {
        Range a = ranges->items[i], b = other->items[j];
        ranges_add(&both, larger(a.from, b.from), smaller(a.to, b.to));
        if (a.to < b.to)
            i++;
        else
            j++;
    }
    *ranges = both;
}

void ranges_clear(Ranges *ranges) { ranges->count = 0; }

void ranges_all(Ranges *ranges)
{
    ranges->count = 1;
    ranges->items[0] = (Range){.from = RANGES_LOW, .to = RANGES_END};
}

bool ranges_is_all(const Ranges *ranges)
{
    return ranges->count == 1 && ranges->items[0].from <= RANGES_LOW && ranges->items[0].to == RANGES_END;
}

bool ranges_contain(const Ranges *ranges, int64_t value)
{
    for (size_t i = 0; i < ranges->count; i++)
        if (value >= ranges->items[i].from && value < ranges->items[i].to)
            return true;
    return false;
}

bool ranges_overlap(const Ranges *ranges, const Ranges *other)
{
    Ranges both = *ranges;
    ranges_intersect(&both, other);
    return both.count > 0;
}

Range ranges_hull(const Ranges *ranges)
{
    if (!ranges->count)
        return (Range){0};
    return (Range){.from = ranges->items[0].from, .to = ranges->items[ranges->count - 1].to};
}

int64_t ranges_day_of(int64_t value) { return value / RANGES_DAY - (value % RANGES_DAY < 0); }

int64_t ranges_plus(int64_t value, int64_t amount)
{
    if (value <= RANGES_LOW || value >= RANGES_HIGH)
        return value;
    int64_t sum;
    if (__builtin_add_overflow(value, amount, &sum))
        return amount > 0 ? RANGES_HIGH : RANGES_LOW;
    return larger(RANGES_LOW, smaller(RANGES_HIGH, sum));
}

bool touched_nothing(const Touched *touched)
{
    return !touched->everything && !touched->nulls && !touched->ranges.count;
}

void touched_union(Touched *touched, const Touched *other)
{
    touched->everything = touched->everything || other->everything;
    touched->nulls = touched->nulls || other->nulls;
    ranges_union(&touched->ranges, &other->ranges);
}
