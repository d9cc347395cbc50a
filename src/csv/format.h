/* CsvFormat: the `format:` of a date or time column, a strict subset of to_date()'s patterns.
 *
 * Tokens, in any case: YYYY YY MM DD Mon Month HH24 HH12 HH MI SS MS US AM PM TZH TZM. All else but letters, and what
 * stands in double quotes, is literal; so is a T before HH. A value must match from its first to its last byte, with
 * white space around it allowed. YYYY takes 4 digits, YY 2 (70 to 99 are 19xx, the rest 20xx, as in to_date), TZH a
 * sign and 2; other numbers 2, or also 1 where no digits follow in the pattern; MS 1 to 3 and US 1 to 6, as decimals.
 * Month names are English, in any case. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "csv/datetime.h"
#include "csv/result.h"
#include "csv/type.h"

enum { CSV_FORMAT_TOKENS = 64 };

typedef enum CsvFormatKind {
    CSV_FORMAT_LITERAL,
    CSV_FORMAT_YYYY,
    CSV_FORMAT_YY,
    CSV_FORMAT_MM,
    CSV_FORMAT_DD,
    CSV_FORMAT_MON,
    CSV_FORMAT_MONTH,
    CSV_FORMAT_HH24,
    CSV_FORMAT_HH12,
    CSV_FORMAT_MI,
    CSV_FORMAT_SS,
    CSV_FORMAT_MS,
    CSV_FORMAT_US,
    CSV_FORMAT_AMPM,
    CSV_FORMAT_TZH,
    CSV_FORMAT_TZM,
} CsvFormatKind;

/* Holds no pointers: may be copied. */
typedef struct CsvFormat {
    struct {
        unsigned char kind; /* CsvFormatKind */
        char literal;       /* of CSV_FORMAT_LITERAL */
        bool exact;         /* digits follow at once: no fewer than all digits */
    } tokens[CSV_FORMAT_TOKENS];
    int count;
    char pattern[CSV_FORMAT_TOKENS + 1]; /* as given, for messages */
} CsvFormat;

/* Reads a pattern for a column of that type. Unknown tokens, a token given twice, a pattern without year, month or
 * day, HH12 without AM, a zone for a type without one, and types other than date, timestamp and timestamptz are an
 * ERROR_PROJECT without a place (column says which character of the pattern, from 1). */
bool csv_format_parse(const char *pattern, CsvType type, CsvFormat *ret_format, Error *err);

/* Reads a value. VALUE_OUT_OF_RANGE where the calendar or the clock has no such time; never VALUE_UNSURE. */
ValueResult csv_format_read(const CsvFormat *format, const char *s, size_t n, DateTime *ret);
