/* Clock: instants as microseconds since 1970-01-01T00:00:00Z. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef int64_t Instant; /* microseconds, UTC */

enum { CLOCK_TEXT = 40 }; /* room for the text of any instant */

Instant clock_now(void);
int64_t clock_monotonic(void);          /* microseconds since some fixed moment, never stepping back */
void clock_sleep(int64_t microseconds); /* at least so long unless a signal arrives */

/* Zone that log times are shown in: minutes to add to UTC at that instant. Without it, UTC.
 * Set once, before other threads start. (The zone reader lives on a higher floor.) */
typedef int (*ClockOffset)(Instant instant);
void clock_set_offset(ClockOffset offset);

/* ISO 8601 with seconds and offset: 2026-01-31T06:15:00Z, or ...+01:00 */
void clock_format(Instant instant, char text[CLOCK_TEXT]);
/* The same in UTC with microseconds: 2026-01-31T06:15:00.123456Z, for binding to timestamptz. */
void clock_format_exact(Instant instant, char text[CLOCK_TEXT]);

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. Year 0 is 1 BC.
 * Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil. */
int64_t days_from_civil(int64_t year, int month, int day);
void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
