/* Ranges: a bounded set of half-open intervals of time, and what is known to have been touched.
 *
 * Values are int64: dates, timestamps and timestamptz in microseconds from 2000-01-01 00:00 (UTC), as PostgreSQL counts
 * them; integers as they are. -infinity is RANGES_LOW, infinity RANGES_HIGH, both legal members of a range. Arithmetic
 * saturates there. A set is always a superset of what it stands for: where it would hold more than RANGES_MAX
 * intervals, the smallest gaps are closed first. Plain values: copied by assignment, nothing to free. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RANGES_MAX = 64 };
#define RANGES_LOW  (INT64_MIN + 1)
#define RANGES_HIGH (INT64_MAX - 1)
#define RANGES_END  INT64_MAX /* past every value: `to` of a range without end */
#define RANGES_DAY  INT64_C(86400000000)
/* What lies before the first of these, or from the second on, is no timestamp but an infinity. */
#define RANGES_FIRST_TIME INT64_C(-211813488000000000) /* 4714-11-24 BC */
#define RANGES_PAST_TIMES INT64_C(9223371331200000000) /* 294277-01-01 */

enum { RANGES_EPOCH_DAYS = 10957 }; /* from 1970-01-01, where base/clock begins, to 2000-01-01 */

typedef struct Range {
    int64_t from, to; /* [from, to), from < to */
} Range;

typedef struct Ranges {
    Range items[RANGES_MAX]; /* ascending; neither overlapping nor touching */
    size_t count;
} Ranges;

void ranges_add(Ranges *ranges, int64_t from, int64_t to); /* an empty or turned interval adds nothing */
void ranges_union(Ranges *ranges, const Ranges *other);
void ranges_intersect(Ranges *ranges, const Ranges *other);
void ranges_clear(Ranges *ranges);
void ranges_all(Ranges *ranges);
bool ranges_is_all(const Ranges *ranges);
bool ranges_contain(const Ranges *ranges, int64_t value);
bool ranges_overlap(const Ranges *ranges, const Ranges *other);
Range ranges_hull(const Ranges *ranges); /* of none: {0, 0} */
/* Closes the smallest gaps until there are at most max. */
void ranges_limit(Ranges *ranges, size_t max);
int64_t ranges_day_of(int64_t value);               /* a time's day, counted from 2000-01-01 */
int64_t ranges_plus(int64_t value, int64_t amount); /* saturates; -infinity and infinity stay what they are */

/* What may have been touched of a table: values of its time column, rows without a time, or anything at all. */
typedef struct Touched {
    bool everything; /* then the rest says nothing */
    bool nulls;      /* rows whose time is null */
    Ranges ranges;
} Touched;

bool touched_nothing(const Touched *touched);
void touched_union(Touched *touched, const Touched *other);
