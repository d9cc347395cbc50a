#include "csv/guess.h"

#include <string.h>
#include <strings.h>

#include "csv/datetime.h"
#include "csv/value.h"

enum { VALUE_SIZE_MAX = 1000 }; /* what is longer is text */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_boolean_word(const char *s, size_t n)
{
    static const char *const WORDS[] = {"true", "false", "yes", "no", "t", "f"};
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        if (n == strlen(WORDS[i]) && strncasecmp(s, WORDS[i], n) == 0)
            return true;
    return false;
}

/* Leading zeros and a leading plus are what a number would lose. */
static bool loses_as_number(const char *s, size_t n)
{
    size_t i = n > 0 && s[0] == '-';
    return (n > 0 && s[0] == '+') || (n > i + 1 && s[i] == '0' && is_digit(s[i + 1]));
}

static bool fits(CsvType type, const char *s, size_t n, Text *scratch)
{
    const CsvColumnType plain = {.type = type, .length = -1, .precision = -1, .utc = true};
    text_reset(scratch);
    return value_encode(&plain, s, n, scratch) == VALUE_OK;
}

/* The types that a value rules out, a bit each. */
static unsigned ruled_out_by(const char *s, size_t n)
{
    TEXT_AUTO(scratch);
    unsigned out = 0;
    if (!is_boolean_word(s, n))
        out |= 1u << CSV_BOOLEAN;
    bool loses = loses_as_number(s, n);
    const CsvType numbers[] = {CSV_INTEGER, CSV_BIGINT, CSV_NUMERIC};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (loses || !fits(numbers[i], s, n, &scratch))
            out |= 1u << numbers[i];
    DateTime t;
    bool iso = memchr(s, '-', n) && datetime_read(s, n, &t) == VALUE_OK && !t.infinite;
    if (!iso || t.has_time || !fits(CSV_DATE, s, n, &scratch))
        out |= 1u << CSV_DATE;
    if (!iso || t.has_offset || !fits(CSV_TIMESTAMP, s, n, &scratch))
        out |= 1u << CSV_TIMESTAMP;
    if (!iso || !t.has_offset || !fits(CSV_TIMESTAMPTZ, s, n, &scratch))
        out |= 1u << CSV_TIMESTAMPTZ;
    return out;
}

void csv_guess_add(CsvGuess *guess, const char *s, size_t n, bool quoted)
{
    if (n == 0 && !quoted)
        return;
    guess->seen = true;
    for (size_t i = 0; i < n && !guess->digits; i++)
        guess->digits = is_digit(s[i]);
    const unsigned all = 1u << CSV_BOOLEAN | 1u << CSV_INTEGER | 1u << CSV_BIGINT | 1u << CSV_NUMERIC | 1u << CSV_DATE |
                         1u << CSV_TIMESTAMP | 1u << CSV_TIMESTAMPTZ;
    if ((guess->ruled_out & all) == all)
        return;
    guess->ruled_out |= n > VALUE_SIZE_MAX ? all : ruled_out_by(s, n);
}

CsvType csv_guess_type(const CsvGuess *guess)
{
    static const CsvType ORDER[] = {CSV_BOOLEAN, CSV_INTEGER,   CSV_BIGINT,     CSV_NUMERIC,
                                    CSV_DATE,    CSV_TIMESTAMP, CSV_TIMESTAMPTZ};
    for (size_t i = 0; guess->seen && i < sizeof(ORDER) / sizeof(ORDER[0]); i++) {
        bool words_only = ORDER[i] == CSV_BOOLEAN || guess->digits; /* else it is all NaN */
        if (words_only && !(guess->ruled_out & 1u << ORDER[i]))
            return ORDER[i];
    }
    return CSV_TEXT;
}
