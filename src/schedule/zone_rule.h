/* ZoneRule: the POSIX TZ string at the end of a zone's file, which says how clocks go on after its last transition:
 * `CET-1CEST,M3.5.0,M10.5.0/3`. Source: POSIX.1-2017 8.3 (TZ), with times of -167 to 167 hours as RFC 9636 3.3.1
 * allows. Internal to the zone reader. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schedule/zone.h"

typedef enum ZoneDayKind { ZONE_DAY_JULIAN, ZONE_DAY_OF_YEAR, ZONE_DAY_WEEKDAY } ZoneDayKind;

typedef struct ZoneChange {
    ZoneDayKind kind;
    int day; /* Jn: 1-365, 29 February never counted; n: 0-365; Mm.w.d: the weekday d, 0 is Sunday */
    int month, week;
    int32_t time; /* seconds after local midnight, which may be on another day */
} ZoneChange;

typedef struct ZoneRule {
    int32_t standard, summer; /* seconds east of UTC; summer may be behind standard (Europe/Dublin) */
    bool changes;             /* summer time exists */
    ZoneChange start, end;    /* of summer time */
} ZoneRule;

/* False where text of len bytes is no such string. */
bool zone_rule_parse(const char *text, size_t len, ZoneRule *ret);
/* The span of the rule alone that holds seconds, which are within ZONE_SECONDS_MAX of 1970. */
ZoneSpan zone_rule_span(const ZoneRule *rule, int64_t seconds);

/* More than any Instant can hold, and far from where sums overflow. */
#define ZONE_SECONDS_MAX INT64_C(10000000000000)
