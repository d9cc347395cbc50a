/* DateTime: a date with or without a time and an offset, as ISO 8601 text, and as date and timestamps of COPY BINARY.
 * See value.h for what the results promise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "csv/result.h"
#include "csv/type.h"

typedef struct DateTime {
    int infinite; /* 1 or -1: the rest means nothing */
    int year;     /* astronomical: 0 is 1 BC */
    int month;
    int day;
    int hour; /* to 24 */
    int minute;
    int second; /* to 60 */
    int micros;
    bool has_time;
    bool has_offset;
    int offset; /* seconds east of Greenwich */
} DateTime;

/* Reads `YYYY-MM-DD`, `YYYYMMDD`, `infinity`, and after a date optionally `T` or a space, `HH:MM[:SS[.ffffff]]`, an
 * offset (`Z`, `UTC`, `+HH`, `+HHMM`, `+HH:MM`), and ` BC` or ` AD`. The year has at least 4 digits. */
ValueResult datetime_read(const char *s, size_t n, DateTime *ret);

/* VALUE_OUT_OF_RANGE where the calendar or the clock has no such time. */
ValueResult datetime_check(const DateTime *t);

/* Checks and appends a CSV_DATE, CSV_TIMESTAMP or CSV_TIMESTAMPTZ. As in the server, a date drops time and offset, and
 * a timestamp drops the offset. */
ValueResult datetime_encode(const CsvColumnType *type, const DateTime *t, Text *out);

/* Appends ISO 8601 text with what the type keeps. */
void datetime_show(CsvType type, const DateTime *t, Text *out);
