#include "schedule/zone_rule.h"

enum {
    DAY = 86400,
    NAME_MIN = 3,
    YEARS = 5,
    OFFSET_HOURS_MAX = 24,
    TIME_HOURS_MAX = 167,
};

typedef struct Scan {
    const char *at, *end;
} Scan;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool take(Scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static bool scan_number(Scan *scan, int min, int max, int *ret)
{
    if (scan->at == scan->end || !is_digit(*scan->at))
        return false;
    int n = 0;
    while (scan->at < scan->end && is_digit(*scan->at)) {
        n = n * 10 + (*scan->at++ - '0');
        if (n > max)
            return false;
    }
    *ret = n;
    return n >= min;
}

/* letters, or anything between < and >; what the zone is called does not matter here */
static bool scan_name(Scan *scan)
{
    const char *start = scan->at;
    if (take(scan, '<')) {
        while (scan->at < scan->end && *scan->at != '>')
            scan->at++;
        return scan->at - start > NAME_MIN && take(scan, '>');
    }
    while (scan->at < scan->end && ((*scan->at >= 'A' && *scan->at <= 'Z') || (*scan->at >= 'a' && *scan->at <= 'z')))
        scan->at++;
    return scan->at - start >= NAME_MIN;
}

/* [+-]h[:mm[:ss]], in seconds */
static bool scan_time(Scan *scan, int hours_max, int32_t *ret)
{
    bool negative = take(scan, '-');
    int hours, minutes = 0, seconds = 0;
    if (!negative)
        take(scan, '+');
    if (!scan_number(scan, 0, hours_max, &hours))
        return false;
    if (take(scan, ':') && !scan_number(scan, 0, 59, &minutes))
        return false;
    if (take(scan, ':') && !scan_number(scan, 0, 59, &seconds))
        return false;
    int32_t sum = hours * 3600 + minutes * 60 + seconds;
    *ret = negative ? -sum : sum;
    return true;
}

static bool scan_change(Scan *scan, ZoneChange *ret)
{
    *ret = (ZoneChange){.time = 2 * 3600};
    if (!take(scan, ','))
        return false;
    if (take(scan, 'J')) {
        ret->kind = ZONE_DAY_JULIAN;
        if (!scan_number(scan, 1, 365, &ret->day))
            return false;
    } else if (take(scan, 'M')) {
        ret->kind = ZONE_DAY_WEEKDAY;
        if (!scan_number(scan, 1, 12, &ret->month) || !take(scan, '.') || !scan_number(scan, 1, 5, &ret->week) ||
            !take(scan, '.') || !scan_number(scan, 0, 6, &ret->day))
            return false;
    } else {
        ret->kind = ZONE_DAY_OF_YEAR;
        if (!scan_number(scan, 0, 365, &ret->day))
            return false;
    }
    return !take(scan, '/') || scan_time(scan, TIME_HOURS_MAX, &ret->time);
}

bool zone_rule_parse(const char *text, size_t len, ZoneRule *ret)
{
    Scan scan = {text, text + len};
    *ret = (ZoneRule){0};
    if (!scan_name(&scan) || !scan_time(&scan, OFFSET_HOURS_MAX, &ret->standard))
        return false;
    ret->standard = -ret->standard; /* POSIX counts west of UTC */
    ret->summer = ret->standard + 3600;
    if (scan.at == scan.end)
        return true;
    ret->changes = true;
    if (!scan_name(&scan))
        return false;
    if (scan.at < scan.end && *scan.at != ',') {
        if (!scan_time(&scan, OFFSET_HOURS_MAX, &ret->summer))
            return false;
        ret->summer = -ret->summer;
    }
    return scan_change(&scan, &ret->start) && scan_change(&scan, &ret->end) && scan.at == scan.end;
}

static bool is_leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

/* local seconds, as if UTC, at which a change comes in a year */
static int64_t change_at(const ZoneChange *change, int64_t year)
{
    int64_t first = days_from_civil(year, 1, 1), day = first + change->day;
    if (change->kind == ZONE_DAY_JULIAN)
        day = first + change->day - 1 + (is_leap(year) && change->day >= 60);
    if (change->kind == ZONE_DAY_WEEKDAY) {
        day = days_from_civil(year, change->month, 1);
        int64_t weekday = ((day + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
        day += (change->day - weekday + 7) % 7 + INT64_C(7) * (change->week - 1);
        int64_t next_month =
            change->month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, change->month + 1, 1);
        if (day >= next_month) /* week 5 is the last one */
            day -= 7;
    }
    return day * DAY + change->time;
}

typedef struct Transition {
    int64_t at;
    int32_t offset;
} Transition;

/* Keeps the order of those alike: summer time that ends when the next one starts is summer time all year. */
static void insert(Transition *list, size_t *count, Transition t)
{
    size_t i = (*count)++;
    for (; i > 0 && list[i - 1].at > t.at; i--)
        list[i] = list[i - 1];
    list[i] = t;
}

ZoneSpan zone_rule_span(const ZoneRule *rule, int64_t seconds)
{
    if (!rule->changes)
        return (ZoneSpan){INT64_MIN, INT64_MAX, rule->standard};
    int64_t year, days = seconds / DAY - (seconds % DAY < 0);
    int month, day;
    civil_from_days(days, &year, &month, &day);
    /* A change may be a week off its year's edge, and has to stand on either side of seconds: two years each way. */
    Transition list[YEARS * 2];
    size_t count = 0;
    for (int i = 0; i < YEARS; i++) {
        int64_t y = year - YEARS / 2 + i;
        insert(list, &count, (Transition){change_at(&rule->start, y) - rule->standard, rule->summer});
        insert(list, &count, (Transition){change_at(&rule->end, y) - rule->summer, rule->standard});
    }
    size_t next = 1;
    while (next < count - 1 && list[next].at <= seconds)
        next++;
    return (ZoneSpan){list[next - 1].at, list[next].at, list[next - 1].offset};
}
