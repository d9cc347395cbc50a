#include "schedule/cron.h"

enum { DAY = 86400, DAY_MINUTES = 1440 };

/* Ticks are looked for from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z; civil times a year further each way. */
#define FIRST      INT64_C(-62135596800)
#define LAST       INT64_C(253402300799)
#define FIRST_YEAR 0
#define LAST_YEAR  10000

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* --- civil time: which minutes match, whatever the zone -------------------------------------------------------- */

static int month_length(int64_t year, int month)
{
    if (month == 2)
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* The matching days of a month: bit n is day n. */
static uint64_t month_days(const Cron *cron, int64_t year, int month)
{
    if (!(cron->months >> month & 1))
        return 0;
    /* turn the week so that it begins with the month's first weekday (1970-01-01 was a Thursday), and lay out five */
    unsigned first = (unsigned)(((days_from_civil(year, month, 1) + 4) % 7 + 7) % 7);
    uint64_t week = ((unsigned)cron->weekdays >> first | (unsigned)cron->weekdays << (7 - first)) & 0x7F;
    uint64_t weekdays = (week | week << 7 | week << 14 | week << 21 | week << 28) << 1;
    uint64_t days = cron->any_day ? cron->days & weekdays : cron->days | weekdays;
    return days & ((UINT64_C(2) << month_length(year, month)) - 2);
}

static int lowest(uint64_t bits) { return __builtin_ctzll(bits); }
static int highest(uint64_t bits) { return 63 - __builtin_clzll(bits); }
static uint64_t from(uint64_t bits, int n) { return n > 63 ? 0 : bits >> n << n; }
static uint64_t up_to(uint64_t bits, int n) { return n < 0 ? 0 : bits & (UINT64_MAX >> (63 - n)); }

/* The first matching day at or after one, as days since 1970-01-01. */
static bool day_from(const Cron *cron, int64_t days, int64_t *ret)
{
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    while (year <= LAST_YEAR) {
        uint64_t fits = from(month_days(cron, year, month), day);
        if (fits) {
            *ret = days_from_civil(year, month, lowest(fits));
            return true;
        }
        day = 1;
        year += month == 12;
        month = month % 12 + 1;
    }
    return false;
}

static bool day_up_to(const Cron *cron, int64_t days, int64_t *ret)
{
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    while (year >= FIRST_YEAR) {
        uint64_t fits = up_to(month_days(cron, year, month), day);
        if (fits) {
            *ret = days_from_civil(year, month, highest(fits));
            return true;
        }
        day = 31;
        year -= month == 1;
        month = month == 1 ? 12 : month - 1;
    }
    return false;
}

/* The first matching minute of a day at or after one, or -1. */
static int minute_from(const Cron *cron, int minute)
{
    int hour = minute / 60;
    if (cron->hours >> hour & 1 && from(cron->minutes, minute % 60))
        return hour * 60 + lowest(from(cron->minutes, minute % 60));
    uint64_t later = from(cron->hours, hour + 1);
    return later ? lowest(later) * 60 + lowest(cron->minutes) : -1;
}

static int minute_up_to(const Cron *cron, int minute)
{
    int hour = minute / 60;
    if (cron->hours >> hour & 1 && up_to(cron->minutes, minute % 60))
        return hour * 60 + highest(up_to(cron->minutes, minute % 60));
    uint64_t earlier = up_to(cron->hours, hour - 1);
    return earlier ? highest(earlier) * 60 + highest(cron->minutes) : -1;
}

/* The first matching minute at or after a civil time, both in seconds. */
static bool civil_from(const Cron *cron, int64_t civil, int64_t *ret)
{
    int64_t minutes = -floor_div(-civil, 60), days = floor_div(minutes, DAY_MINUTES), found;
    if (!day_from(cron, days, &found))
        return false;
    int minute = minute_from(cron, found == days ? (int)(minutes - days * DAY_MINUTES) : 0);
    if (minute < 0) { /* only on the first day, when it was too late for it */
        if (!day_from(cron, days + 1, &found))
            return false;
        minute = minute_from(cron, 0);
    }
    *ret = found * DAY + INT64_C(60) * minute;
    return true;
}

static bool civil_up_to(const Cron *cron, int64_t civil, int64_t *ret)
{
    int64_t minutes = floor_div(civil, 60), days = floor_div(minutes, DAY_MINUTES), found;
    if (!day_up_to(cron, days, &found))
        return false;
    int minute = minute_up_to(cron, found == days ? (int)(minutes - days * DAY_MINUTES) : DAY_MINUTES - 1);
    if (minute < 0) {
        if (!day_up_to(cron, days - 1, &found))
            return false;
        minute = minute_up_to(cron, DAY_MINUTES - 1);
    }
    *ret = found * DAY + INT64_C(60) * minute;
    return true;
}

/* --- ticks: span by span of the zone ---------------------------------------------------------------------------- */

/* The latest civil time that clocks approached before a span began; what lies below it is shown for the second time.
 * Only spans that began within the widest possible jump can have come so far. */
static int64_t shown_before(const Zone *zone, const ZoneSpan *span)
{
    int64_t shown = INT64_MIN, oldest = span->start - INT64_C(2) * ZONE_OFFSET_MAX;
    if (span->start == INT64_MIN)
        return shown;
    for (int64_t start = span->start; start != INT64_MIN && start >= oldest;) {
        ZoneSpan before = zone_span(zone, start - 1);
        if (start + before.offset > shown)
            shown = start + before.offset;
        start = before.start;
    }
    return shown;
}

/* The first civil time of a span that is a tick's, not a repetition's. */
static int64_t floor_of(const Cron *cron, const Zone *zone, const ZoneSpan *span)
{
    if (span->start == INT64_MIN)
        return INT64_MIN;
    int64_t start = span->start + span->offset, shown = cron->repeating ? start : shown_before(zone, span);
    return shown > start ? shown : start;
}

/* Whether the span begins by jumping over a matching minute, so that its first moment is a tick. */
static bool swallowed(const Cron *cron, const Zone *zone, const ZoneSpan *span)
{
    if (span->start == INT64_MIN)
        return false;
    int64_t to = span->start + span->offset, civil;
    int64_t since = span->start + zone_span(zone, span->start - 1).offset;
    if (since >= to)
        return false;
    if (!cron->repeating)
        since = shown_before(zone, span);
    return civil_from(cron, since, &civil) && civil < to;
}

static bool answer(int64_t tick, Instant *ret)
{
    if (tick < FIRST || tick > LAST)
        return false;
    *ret = tick * 1000000;
    return true;
}

bool cron_next(const Cron *cron, const Zone *zone, Instant after, Instant *ret)
{
    int64_t at = floor_div(after, 1000000) + 1;
    int64_t civil = 0, searched = INT64_MAX; /* civil is the first match from searched on */
    if (at < FIRST)
        at = FIRST;
    while (at <= LAST) {
        ZoneSpan span = zone_span(zone, at);
        if (at == span.start && swallowed(cron, zone, &span))
            return answer(at, ret);
        int64_t since = floor_of(cron, zone, &span);
        if (since < at + span.offset)
            since = at + span.offset;
        if (since < searched || since > civil) {
            if (!civil_from(cron, since, &civil))
                return false;
            searched = since;
        }
        if (span.end == INT64_MAX || civil - span.offset < span.end)
            return answer(civil - span.offset, ret);
        at = span.end;
    }
    return false;
}

bool cron_prev(const Cron *cron, const Zone *zone, Instant at_or_before, Instant *ret)
{
    int64_t at = floor_div(at_or_before, 1000000);
    int64_t civil = 0, searched = INT64_MIN; /* civil is the last match up to searched */
    if (at > LAST)
        at = LAST;
    while (at >= FIRST) {
        ZoneSpan span = zone_span(zone, at);
        int64_t until = at + span.offset;
        if (until > searched || until < civil) {
            if (!civil_up_to(cron, until, &civil))
                return false;
            searched = until;
        }
        if (civil >= floor_of(cron, zone, &span))
            return answer(civil - span.offset, ret);
        if (swallowed(cron, zone, &span))
            return answer(span.start, ret);
        if (span.start == INT64_MIN)
            return false;
        at = span.start - 1;
    }
    return false;
}
