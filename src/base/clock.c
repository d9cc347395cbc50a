#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { SECOND = 1000000 };

static ClockOffset g_offset;

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000;
}

Instant clock_now(void) { return read_clock(CLOCK_REALTIME); }

int64_t clock_monotonic(void) { return read_clock(CLOCK_MONOTONIC); }

void clock_sleep(int64_t microseconds)
{
    struct timespec span = {.tv_sec = microseconds / SECOND, .tv_nsec = microseconds % SECOND * 1000};
    nanosleep(&span, NULL);
}

void clock_set_offset(ClockOffset offset) { g_offset = offset; }

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* "2026-01-31T06:15:00" of an instant already moved into its zone */
static int format_civil(Instant instant, char text[CLOCK_TEXT])
{
    int64_t seconds = floor_div(instant, SECOND), days = floor_div(seconds, 86400);
    int of_day = (int)(seconds - days * 86400);
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    return snprintf(text, CLOCK_TEXT, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", year, month, day, of_day / 3600,
                    of_day / 60 % 60, of_day % 60);
}

void clock_format(Instant instant, char text[CLOCK_TEXT])
{
    int offset = g_offset ? g_offset(instant) : 0;
    int len = format_civil(instant + (int64_t)offset * 60 * SECOND, text);
    if (offset == 0)
        snprintf(text + len, (size_t)(CLOCK_TEXT - len), "Z");
    else
        snprintf(text + len, (size_t)(CLOCK_TEXT - len), "%c%02d:%02d", offset < 0 ? '-' : '+',
                 (offset < 0 ? -offset : offset) / 60, (offset < 0 ? -offset : offset) % 60);
}

void clock_format_exact(Instant instant, char text[CLOCK_TEXT])
{
    int len = format_civil(instant, text);
    int micros = (int)(instant - floor_div(instant, SECOND) * SECOND);
    snprintf(text + len, (size_t)(CLOCK_TEXT - len), ".%06dZ", micros);
}

int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = floor_div(year, 400);
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = floor_div(days, 146097);
    int64_t of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t mp = (5 * of_year + 2) / 153;
    *ret_day = (int)(of_year - (153 * mp + 2) / 5 + 1);
    *ret_month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *ret_year = year + era * 400 + (*ret_month <= 2);
}
