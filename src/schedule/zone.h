/* Zone: a time zone, read from the system's zoneinfo without touching TZ, tzset() or localtime().
 *
 * A Zone never changes once it is open: any number of threads may use one at the same time. It is a row of spans of
 * constant offset that covers all of time: those listed in the file, then those of its rule, year by year, for ever.
 *
 * The files are TZif, versions 1 to 4, and the rule is a POSIX TZ string. Source: RFC 9636 (8536), sections 3 and 4.
 * Read from $TZDIR where that is set, else /usr/share/zoneinfo. UTC, Etc/UTC, GMT and Etc/GMT need no file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

typedef struct Zone Zone;

enum {
    ZONE_NAME_MAX = 64,      /* bytes */
    ZONE_OFFSET_MAX = 93599, /* seconds east (or west) of UTC that a file may give: under 26 hours */
};

/* Opens a zone by its IANA name. A name that is none, an unknown zone and a damaged file are ERROR_PROJECT, with the
 * nearest name, or with what to install, as hint: a misspelt zone is never taken for UTC. The caller closes it. */
Zone *zone_open(const char *name, Error *err);
void zone_close(Zone *zone); /* NULL is fine */
void zone_close_p(Zone **zone);
const char *zone_name(const Zone *zone); /* as it was given to zone_open(); lives as long as the zone */

/* A stretch of time with one offset: start <= t < end. INT64_MIN and INT64_MAX stand for open ends. Neighbours may
 * have the same offset. Times here are whole seconds since 1970-01-01T00:00:00Z. */
typedef struct ZoneSpan {
    int64_t start;
    int64_t end;
    int32_t offset; /* seconds east of UTC */
} ZoneSpan;
ZoneSpan zone_span(const Zone *zone, int64_t seconds); /* the one that holds it */

int32_t zone_offset_at(const Zone *zone, Instant instant); /* seconds east of UTC */

/* The instants at which clocks in the zone show a civil time, given as seconds since 1970-01-01T00:00:00 as if that
 * were UTC (days_from_civil() * 86400 + seconds of the day). Returns how many: 0 in a gap, 2 in an overlap (the first
 * first), else 1. In a gap ret[0] is the first moment after it. */
int zone_local(const Zone *zone, int64_t civil, Instant ret[2]);

/* 2026-03-29T03:00:00+02:00. UTC is +00:00; an offset with seconds in it (local mean time) is +00:53:28. */
void zone_format(const Zone *zone, Instant instant, char text[CLOCK_TEXT]);

/* Reads YYYY-MM-DD, or YYYY-MM-DD[T ]HH:MM[:SS], then nothing, Z, or an offset +HH, +HHMM or +HH:MM (or -). Without an
 * offset it is a time in the zone: in a gap the first moment after it, in an overlap the first of the two.
 * Years 0001 to 9999. Anything else is an ERROR_PROJECT with the column. */
bool zone_parse_time(const Zone *zone, const char *text, Instant *ret, Error *err);
