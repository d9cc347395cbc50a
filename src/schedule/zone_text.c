/* Times of a zone as text, and back. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "schedule/zone.h"

enum { DAY = 86400 };

void zone_format(const Zone *zone, Instant instant, char text[CLOCK_TEXT])
{
    int32_t offset = zone_offset_at(zone, instant), size = offset < 0 ? -offset : offset;
    int64_t local = instant / 1000000 - (instant % 1000000 < 0) + offset;
    int64_t days = local / DAY - (local % DAY < 0), year;
    int of_day = (int)(local - days * DAY), month, day;
    civil_from_days(days, &year, &month, &day);
    int len =
        snprintf(text, CLOCK_TEXT, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", year, month, day, of_day / 3600,
                 of_day / 60 % 60, of_day % 60, offset < 0 ? '-' : '+', size / 3600, size / 60 % 60);
    if (size % 60 != 0)
        snprintf(text + len, (size_t)(CLOCK_TEXT - len), ":%02d", size % 60);
}

typedef struct Scan {
    const char *text;
    const char *at;
    Error *err;
} Scan;

static bool fail(const Scan *scan, const char *what)
{
    TEXT_AUTO(shown);
    text_append_shown(&shown, scan->text, strlen(scan->text), CLOCK_TEXT);
    error_at(scan->err, ERROR_PROJECT, NULL, 0, (int)(scan->at - scan->text) + 1, "\"%s\" is not a time: %s",
             text_str(&shown), what);
    return error_hint(scan->err, "write 2026-03-29, 2026-03-29T02:30, or 2026-03-29T02:30:00+01:00");
}

static bool number(Scan *scan, int digits, int min, int max, const char *what, int *ret)
{
    int n = 0;
    for (int i = 0; i < digits; i++) {
        if (scan->at[i] < '0' || scan->at[i] > '9')
            return fail(scan, what);
        n = n * 10 + (scan->at[i] - '0');
    }
    if (n < min || n > max)
        return fail(scan, what);
    scan->at += digits;
    *ret = n;
    return true;
}

static bool expect(Scan *scan, char c, const char *what)
{
    if (*scan->at != c)
        return fail(scan, what);
    scan->at++;
    return true;
}

static bool scan_date(Scan *scan, int64_t *ret_days)
{
    int year = 0, month = 0, day = 0;
    if (!number(scan, 4, 1, 9999, "expected a year of four digits", &year) ||
        !expect(scan, '-', "expected - after the year") ||
        !number(scan, 2, 1, 12, "expected a month, 01 to 12", &month) ||
        !expect(scan, '-', "expected - after the month"))
        return false;
    const char *start = scan->at;
    if (!number(scan, 2, 1, 31, "expected a day, 01 to 31", &day))
        return false;
    int64_t year_back;
    int month_back, day_back;
    *ret_days = days_from_civil(year, month, day);
    civil_from_days(*ret_days, &year_back, &month_back, &day_back);
    if (month_back == month)
        return true;
    scan->at = start;
    return fail(scan, "the month has no such day");
}

static bool scan_clock(Scan *scan, int *ret_seconds)
{
    int hour = 0, minute = 0, second = 0;
    scan->at++; /* the T or blank */
    if (!number(scan, 2, 0, 23, "expected an hour, 00 to 23", &hour) ||
        !expect(scan, ':', "expected : after the hour") ||
        !number(scan, 2, 0, 59, "expected minutes, 00 to 59", &minute))
        return false;
    if (*scan->at == ':') {
        scan->at++;
        if (!number(scan, 2, 0, 59, "expected seconds, 00 to 59", &second))
            return false;
    }
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return true;
}

static bool scan_offset(Scan *scan, int *ret_offset)
{
    if (*scan->at == 'Z' || *scan->at == 'z') {
        scan->at++;
        *ret_offset = 0;
        return true;
    }
    int sign = *scan->at == '-' ? -1 : 1, hours = 0, minutes = 0;
    if (*scan->at != '+' && *scan->at != '-')
        return fail(scan, "expected Z or an offset such as +01:00");
    scan->at++;
    if (!number(scan, 2, 0, 23, "expected an offset's hours, 00 to 23", &hours))
        return false;
    if (*scan->at == ':')
        scan->at++;
    else if (*scan->at == '\0') {
        *ret_offset = sign * hours * 3600;
        return true;
    }
    if (!number(scan, 2, 0, 59, "expected an offset's minutes, 00 to 59", &minutes))
        return false;
    *ret_offset = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool zone_parse_time(const Zone *zone, const char *text, Instant *ret, Error *err)
{
    Scan scan = {text, text, err};
    int64_t days;
    int seconds = 0, offset = 0;
    bool has_offset = false;
    if (!scan_date(&scan, &days))
        return false;
    if (*scan.at == 'T' || *scan.at == 't' || *scan.at == ' ') {
        if (!scan_clock(&scan, &seconds))
            return false;
        has_offset = *scan.at != '\0';
        if (has_offset && !scan_offset(&scan, &offset))
            return false;
    }
    if (*scan.at != '\0')
        return fail(&scan, "expected nothing more here");
    int64_t civil = days * DAY + seconds;
    if (has_offset) {
        *ret = (civil - offset) * 1000000;
        return true;
    }
    Instant at[2];
    zone_local(zone, civil, at);
    *ret = at[0];
    return true;
}
