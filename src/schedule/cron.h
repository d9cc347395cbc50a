/* Cron: a five-field cron expression, and the moments (ticks) it stands for in a time zone.
 *
 * Expressions. minute (0-59), hour (0-23), day of month (1-31), month (1-12 or jan-dec), day of week (0-7 or sun-sat,
 * 0 and 7 are Sunday), parted by blanks and tabs. A field is a list (`,`) of `*`, a number, a range `a-b`, and steps
 * `*` + `/n` or `a-b/n`. Names are read in any case. As in Debian's cron `a/n` is refused, and so are reversed ranges;
 * unlike there `sun` may end a range (fri-sun is 5-7). Or one word: @yearly, @annually, @monthly, @weekly, @daily,
 * @midnight, @hourly.
 *
 * Days. As in Debian's cron: where both day fields are given, a day has to match one of them; where either begins with
 * a `*` (so also a step on it), both. So `0 0 13 * 5` is every 13th and every Friday, and `0 0 1-7 * *` + `/7` the
 * Sunday among the first seven.
 *
 * Ticks. With local(t) for what clocks in the zone show at t, the ticks are
 *   - for a fixed expression: per matching minute c, the first moment t at which clocks show c or later;
 *   - for a repeating one, whose minute or hour field begins with a `*` (what Debian's cron calls wild): every t with
 *     a local(t) that matches; and the end of every gap that swallowed a matching minute.
 * It follows that
 *   - a time in a gap (clocks put forward) runs once, at the first moment after the gap: `30 2 * * *` at 03:00, and
 *     however many matching minutes it swallowed, once. `30 * * * *` has 01:30, 03:00 (for 02:30) and 03:30;
 *   - a fixed time in an overlap (clocks put back) runs once, the first time; a repeating one in both;
 *   - a day that a zone left out (Samoa, 2011-12-30) is a gap like any other.
 * cron_next() and cron_prev() walk this one set. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "schedule/zone.h"

enum { CRON_TEXT_MAX = 1000 }; /* bytes of an expression */

typedef struct Cron {
    uint64_t minutes; /* bit n is set: n matches; for all five */
    uint32_t hours;
    uint32_t days;
    uint16_t months;
    uint8_t weekdays; /* 0 is Sunday */
    bool any_day;     /* either day field began with a star: both must match, else one of them */
    bool repeating;   /* see above */
} Cron;

/* Errors are ERROR_PROJECT with the column in the expression, and say what is allowed there. An expression that can
 * never come (30 February) is one too. */
bool cron_parse(const char *expr, Cron *ret, Error *err);

/* The first tick after `after`; false where there is none before the year 10000. */
bool cron_next(const Cron *cron, const Zone *zone, Instant after, Instant *ret);
/* The last tick at or before `at`; false where there is none since the year 1. */
bool cron_prev(const Cron *cron, const Zone *zone, Instant at, Instant *ret);
